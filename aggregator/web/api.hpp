// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <string>

#include "aggregator/live/agent_identities.hpp"
#include "aggregator/live/room.hpp"
#include "aggregator/web/gate.hpp"
#include "aggregator/web/message.hpp"
#include "aggregator/web/metrics.hpp"
#include "aggregator/web/routes.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::aggregator {

/// The handlers that the table of routes names. Each is called by any pool thread, may wait for the room, and
/// has neither sockets nor state. Everything passed in must outlive it.
class Api {
 public:
  using FiguresNow = std::function<WebFigures()>;

  Api(Room& room, AgentIdentities& identities, Gate& gate, const Clock& clock, FiguresNow figures, Log log);

  /// Checks who asks and what, then calls the handler. An exception becomes 500 and a log line.
  Answer answer(const Route& route, const std::vector<std::string>& places, const Request& request);

  Answer log_in(const Call& call);
  Answer who_am_i(const Call& call);
  Answer log_out(const Call& call);
  Answer status(const Call& call);
  Answer points(const Call& call);
  Answer samples(const Call& call);
  Answer alarms(const Call& call);
  Answer acknowledge(const Call& call);
  Answer request_class(const Call& call);
  Answer agents(const Call& call);
  Answer identities(const Call& call);
  Answer invite(const Call& call);
  Answer revoke(const Call& call);
  Answer events(const Call& call);
  Answer description(const Call& call);
  Answer metrics(const Call& call);

 private:
  Answer pass(const Route& route, const std::vector<std::string>& places, const Request& request);

  Room& room_;
  AgentIdentities& identities_;
  Gate& gate_;
  const Clock& clock_;
  FiguresNow figures_;
  Log log_;
};

}  // namespace watchroom::aggregator
