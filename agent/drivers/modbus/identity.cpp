// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/modbus/identity.hpp"

#include "agent/drivers/readable_text.hpp"

namespace watchroom::agent {
namespace {

constexpr std::uint8_t encapsulated_interface = 43, device_identification = 14;
// [function][MEI type][access][conformity][more follows][next object][number of objects]
constexpr std::size_t header_length = 7;

}  // namespace

std::vector<std::uint8_t> encode_identity_request(std::uint8_t access, std::uint8_t object) {
  return {encapsulated_interface, device_identification, access, object};
}

Result<IdentityPart> decode_identity(Bytes pdu) {
  IdentityPart part;
  if (is_refusal(pdu, encapsulated_interface)) {
    part.exception = pdu[1];
    return part;
  }
  if (pdu.size() < header_length || pdu[0] != encapsulated_interface || pdu[1] != device_identification)
    return fail(Errc::corrupt, Retry::now, "{} bytes are no device identification", pdu.size());
  if (pdu[4] != 0) part.next_object = pdu[5];
  std::size_t at = header_length;
  for (int i = 0; i < pdu[6]; ++i) {
    if (at + 2 > pdu.size() || at + 2 + pdu[at + 1] > pdu.size())
      return fail(Errc::corrupt, Retry::now, "a device identification that ends in object {} of {}", i + 1,
                  pdu[6]);
    const Bytes text = pdu.subspan(at + 2, pdu[at + 1]);
    part.objects[pdu[at]] = readable_text({reinterpret_cast<const char*>(text.data()), text.size()});
    at += 2u + text.size();
  }
  return part;
}

}  // namespace watchroom::agent
