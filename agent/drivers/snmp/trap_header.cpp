// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_header.hpp"

namespace watchroom::agent {
namespace {

constexpr std::uint8_t integer_tag = 0x02, octets_tag = 0x04, sequence_tag = 0x30;
using Bytes = std::span<const std::uint8_t>;

/// Takes one BER element of that tag off the front (X.690 8.1) and gives its content.
std::optional<Bytes> take(Bytes& bytes, std::uint8_t tag) {
  if (bytes.size() < 2 || bytes[0] != tag) return std::nullopt;
  std::size_t length = bytes[1];
  std::size_t head = 2;
  if (length & 0x80u) {
    const std::size_t count = length & 0x7fu;
    if (count == 0 || count > 4 || bytes.size() < head + count) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = length << 8 | bytes[head + i];
    head += count;
  }
  if (length > bytes.size() - head) return std::nullopt;
  const Bytes content = bytes.subspan(head, length);
  bytes = bytes.subspan(head + length);
  return content;
}

std::string text_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// UsmSecurityParameters (RFC 3414 2.4), which stand in an octet string.
bool read_security(Bytes parameters, TrapHeader& header) {
  auto inside = take(parameters, sequence_tag);
  if (!inside) return false;
  const auto engine_id = take(*inside, octets_tag);
  if (!engine_id || !take(*inside, integer_tag) || !take(*inside, integer_tag)) return false;
  const auto user = take(*inside, octets_tag);
  if (!user || engine_id->size() > 32 || user->size() > 32) return false;
  header.engine_id = text_of(*engine_id);
  header.user = text_of(*user);
  return true;
}

}  // namespace

std::optional<TrapHeader> read_trap_header(Bytes datagram) {
  auto message = take(datagram, sequence_tag);
  if (!message) return std::nullopt;
  const auto version = take(*message, integer_tag);
  if (!version || version->size() != 1) return std::nullopt;
  TrapHeader header;
  header.version = (*version)[0];
  if (header.version == 0 || header.version == 1)
    return take(*message, octets_tag) ? std::optional{header} : std::nullopt;
  if (header.version != 3 || !take(*message, sequence_tag)) return std::nullopt;
  const auto security = take(*message, octets_tag);
  if (!security || !read_security(*security, header)) return std::nullopt;
  return header;
}

}  // namespace watchroom::agent
