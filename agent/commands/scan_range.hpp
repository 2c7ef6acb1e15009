// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proto/base/result.hpp"

namespace watchroom::agent {

/// The single addresses of a range: hosts as 10.0.0.1-50 or 10.0.0.0/28 (network and broadcast address left
/// out), and what the driver counts through, such as Modbus units: unit=1-32. Refuses more than `limit`.
Result<std::vector<std::string>> expand_range(std::string_view url, int limit);

}  // namespace watchroom::agent
