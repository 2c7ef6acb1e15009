// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// A certificate on which the whole house depends and which nobody renews: which, why, and when it runs out.
struct EndangeredCertificate {
  std::string name_zh, name_en;
  std::string why_zh, why_en;
  Timestamp until{};
};

}  // namespace watchroom::aggregator
