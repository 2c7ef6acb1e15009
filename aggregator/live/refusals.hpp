// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace watchroom::aggregator {

/// Log-ins and enrolments that were refused within the last ten minutes, of all addresses together.
struct Refusals {
  std::uint64_t count = 0;
  std::size_t addresses = 0;  ///< that they came from, as far as they are told apart
  std::string last_name;      ///< printable, but anybody's words; empty: a token, session or certificate
  std::string last_address;
  bool is_whole = false;  ///< the centre has counted for ten minutes; before, few may be more

  bool operator==(const Refusals&) const = default;
};

}  // namespace watchroom::aggregator
