// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What decodes must encode, and what was encoded must decode to the same bytes again.
#include <cstdlib>
#include <string>
#include <string_view>

#include "proto/link/payload.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom;
  const auto first = decode({reinterpret_cast<const char*>(bytes), size});
  if (!first) return 0;
  const std::string encoded = encode(*first, WithDatatypes::yes);
  const auto second = decode(encoded);
  if (!second) std::abort();
  if (second->metrics.size() != first->metrics.size()) std::abort();
  if (encode(*second, WithDatatypes::yes) != encoded) std::abort();
  return 0;
}
