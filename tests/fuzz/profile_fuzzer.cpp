// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// A profile is refused with problems or usable; never both, never neither.
#include <cstdlib>
#include <string_view>

#include "agent/profiles/profile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom;
  using namespace watchroom::agent;
  Problems problems;
  const auto profile = Profile::parse({reinterpret_cast<const char*>(bytes), size}, "fuzzed.toml", problems);
  if (profile.has_value() != problems.empty()) std::abort();
  static_cast<void>(problems.str());
  if (!profile) return 0;
  const DevicePoints points = points_of(*profile, {});
  if (points.descriptions.size() != points.sources.size()) std::abort();
  return 0;
}
