// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Octet strings and numeric texts as devices send them, and OIDs as profiles write them.
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/drivers/snmp/object_value.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom;
  using namespace watchroom::agent;
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  const std::string readable = readable_text(text);
  for (const char character : readable)
    if (static_cast<unsigned char>(character) < 0x20 || character == 0x7f) std::abort();
  static_cast<void>(leading_number(text));
  if (const auto oid = parse_oid(text)) {
    const auto again = parse_oid(oid_text(*oid));
    if (!again || *again != *oid) std::abort();
  }
  Conversion conversion;
  conversion.unit = (size & 1) != 0 ? Unit::text : Unit::celsius;
  const Reading reading = to_reading(ObjectValue{std::string{text}}, conversion, Timestamp{});
  if (reading.quality == Quality::good && !reading.value) std::abort();
  return 0;
}
