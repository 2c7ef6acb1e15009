// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "aggregator/live/room.hpp"
#include "proto/base/log.hpp"
#include "proto/trust/order.hpp"

namespace watchroom::aggregator {

/// Lets every agent hear the signing key of now, so that one that was stolen ends with its rotation and not
/// with the next order that happens to be given. An agent says since when the key counts that it obeys
/// (`orders.key_since` of device self): while that is before ours it is sent an order that does nothing else.
/// No thread of its own, `look` is to be called every few seconds by one; `room` and `clock` must outlive it.
class KeyHerald {
 public:
  using KeySince = std::function<Result<Timestamp>()>;
  /// Signs and sends.
  using Send = std::function<Result<void>(const Order&)>;

  KeyHerald(const Room& room, KeySince key_since, Send send, const Clock& clock, const Log& log)
      : room_{room},
        key_since_{std::move(key_since)},
        send_{std::move(send)},
        clock_{clock},
        log_{log.tagged("signing")} {}

  void look();

 private:
  using Place = std::pair<std::string, std::string>;
  struct Sending {
    int times = 0;
    Steady again_at{};
  };
  /// Of those that are online and can be ordered something: since when the key counts that they obey.
  std::map<Place, std::int64_t> told_s() const;
  void send(const Place& place, Sending& sending);
  void note(const std::string& trouble);

  const Room& room_;
  const KeySince key_since_;
  const Send send_;
  const Clock& clock_;
  const Log log_;
  std::map<Place, Sending> sending_;
  std::uint64_t number_ = 0;  // the last one
  Steady look_at_{};
  std::string trouble_;
};

}  // namespace watchroom::aggregator
