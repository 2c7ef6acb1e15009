// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <cstdlib>
#include <string_view>

#include "agent/drivers/device_address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom::agent;
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  for (const auto origin : {AddressOrigin::settings, AddressOrigin::probe}) {
    std::vector<AddressComplaint> complaints;
    const auto address = parse_address(text, origin, complaints);
    if (address.has_value() != complaints.empty()) std::abort();
    if (address && (address->driver().empty() || address->bus().empty())) std::abort();
  }
  return 0;
}
