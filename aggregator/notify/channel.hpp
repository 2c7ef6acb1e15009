// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// One message to one person. The id is the same on every try, so that a receiver can tell a repeat.
struct Notice {
  std::string id;  ///< "<alarm-12-…@host>"
  std::string recipient;
  std::string subject;
  std::string body;
  Timestamp created_at{};
};

/// A way to a person. Only delivers: when, to whom, how often and in what words is decided before. One call
/// at a time; a call returns within the channel's own time-out, and its error says whether trying again may
/// help.
class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  virtual ~Channel() = default;

  /// Success: the next station has taken responsibility.
  virtual Result<void> deliver(const Notice& notice) = 0;
};

}  // namespace watchroom::aggregator
