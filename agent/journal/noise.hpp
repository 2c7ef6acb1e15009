// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace watchroom::agent {

/// For tests: bytes that cannot be packed, the same for the same number.
inline std::string noise_of(std::uint64_t number, std::size_t size) {
  std::minstd_rand random{static_cast<std::uint32_t>(number + 1)};
  std::string noise(size, '\0');
  for (char& byte : noise) byte = static_cast<char>(random() >> 8);
  return noise;
}

}  // namespace watchroom::agent
