// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/drivers/modbus/frame.hpp"

namespace watchroom::agent {

/// What a device says of itself, by object id: 0 maker, 1 product code, 2 revision, 3 URL, 4 product, 5
/// model, 0x80 and above its own (Modbus Application Protocol V1.1b3, 6.21).
using DeviceIdentity = std::map<int, std::string>;

/// Read Device Identification, function 43 with MEI type 14. `access`: 1 basic, 2 regular, 3 extended stream,
/// 4 one object.
std::vector<std::uint8_t> encode_identity_request(std::uint8_t access, std::uint8_t object);

struct IdentityPart {
  int exception = 0;  ///< 0: none
  DeviceIdentity objects;
  std::optional<std::uint8_t> next_object;  ///< more follows from here
};

/// Refuses as corrupt what is no answer to such a request, or ends before it should. Texts are made readable.
Result<IdentityPart> decode_identity(Bytes pdu);

}  // namespace watchroom::agent
