// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/drivers/driver.hpp"
#include "agent/drivers/net/net_address.hpp"

namespace watchroom::agent {

/// What asking one host or application brought. Silence is a finding: it is down. Only when we could not
/// even ask is nothing known of it, and `not_asked` says why.
struct Finding {
  std::optional<Error> not_asked = {};
  bool is_up = false;
  std::string reason = {};  ///< why it is down
  std::optional<double> response_ms = {};
  std::optional<double> loss_percent = {};
  std::optional<int> status_code = {};
  std::optional<int> certificate_days = {};
};

/// Whole microseconds are exact enough.
double milliseconds(std::chrono::nanoseconds time);

enum class NetMeasure { state, reason, response_time, loss, status_code, certificate_days };

/// Which part of a finding a point shows.
struct NetSource {
  NetMeasure measure = NetMeasure::state;
};

struct NetTraits {
  std::vector<NetScheme> schemes;  ///< the addresses that the profile is for
};

/// What is not known of a host that is down is stale; of one that could not be asked everything.
Answer answer_of(const Finding& finding, const SharedList<PointSource>& sources, Timestamp at);
Reading reading_of(const Finding& finding, const PointSource& source, Timestamp at);

extern const ProfileGrammar net_profiles;

/// Called once for each target, in any order, as soon as it is known.
using Found = std::function<void(std::size_t target, Finding finding)>;

}  // namespace watchroom::agent
