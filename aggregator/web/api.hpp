// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <string>

#include "aggregator/web/gate.hpp"
#include "aggregator/web/message.hpp"
#include "aggregator/web/metrics.hpp"
#include "aggregator/web/routes.hpp"
#include "aggregator/web/served.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::aggregator {

/// The handlers that the table of routes names. Each is called by any pool thread, may wait for the room, and
/// has neither sockets nor state. Everything passed in must outlive it.
class Api {
 public:
  using FiguresNow = std::function<WebFigures()>;

  Api(const Served& served, Gate& gate, const Clock& clock, FiguresNow figures, Log log);

  /// Checks who asks and what, then calls the handler. An exception becomes 500 and a log line.
  Answer answer(const Route& route, const std::vector<std::string>& places, const Request& request);

  Answer log_in(const Call& call);
  Answer who_am_i(const Call& call);
  Answer log_out(const Call& call);
  Answer change_password(const Call& call);
  Answer begin_own_totp(const Call& call);
  Answer confirm_own_totp(const Call& call);
  Answer stop_own_totp(const Call& call);
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

  Answer audit(const Call& call);

  Answer configuration(const Call& call);
  Answer configuration_history(const Call& call);
  Answer give_configuration(const Call& call);

  Answer outputs(const Call& call);
  Answer select_output(const Call& call);
  Answer order_output(const Call& call);
  Answer output_orders(const Call& call);

  Answer users(const Call& call);
  Answer add_user(const Call& call);
  Answer change_user(const Call& call);
  Answer remove_user(const Call& call);
  Answer reset_password(const Call& call);
  Answer end_totp(const Call& call);
  Answer add_token(const Call& call);
  Answer remove_token(const Call& call);

 private:
  Answer pass(const Route& route, const std::vector<std::string>& places, const Request& request);

  Answer outside(const Request& request, const Visitor& visitor);
  bool is_outside(const Route& route, const std::vector<std::string>& places, const Visitor& visitor) const;
  bool is_in_reach(std::int64_t alarm, const Reach& reach) const;
  void record(const Call& call, std::string_view action, std::string object, const Error* error,
              std::string detail);
  Answer failed(const Call& call, std::string_view action, const Error& error);
  Answer change_users(const Call& call, std::string_view action, const std::string& object,
                      const std::function<Result<void>(UsersFile&)>& change,
                      const std::function<Answer()>& answer);

  Room& room_;
  AgentIdentities& identities_;
  Configurations& configurations_;
  Outputs& outputs_;
  Gate& gate_;
  Users& users_;
  AuditLog& audit_;
  const Clock& clock_;
  FiguresNow figures_;
  Log log_;
};

}  // namespace watchroom::aggregator
