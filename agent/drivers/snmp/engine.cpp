// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/engine.hpp"

#include <cstdio>
#include <fstream>
#include <optional>
#include <random>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <nlohmann/json.hpp>

#include "agent/drivers/snmp/library.hpp"

namespace watchroom::agent {
namespace {

// RFC 3414 2.2.2: at the largest value an engine must get a new id.
constexpr std::uint32_t most_boots = 0x7ffffffe;

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::optional<std::string> bytes_of(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    if (std::sscanf(text.c_str() + i, "%2x", &byte) != 1) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  // RFC 3411 5, SnmpEngineID: 5 to 32 octets.
  return text.size() % 2 == 0 && bytes.size() >= 5 && bytes.size() <= 32 ? std::optional{bytes}
                                                                         : std::nullopt;
}

/// Net-SNMP's enterprise number (8072) with its format for random octets: the engine is that library's.
SnmpEngine new_engine() {
  SnmpEngine engine{std::string{"\x80\x00\x1f\x88\x80", 5}, 1};
  std::random_device chance;
  for (int i = 0; i < 12; ++i) engine.id += static_cast<char>(chance() & 0xffu);
  return engine;
}

std::optional<SnmpEngine> engine_in(const std::filesystem::path& file) {
  std::ifstream in{file};
  const auto document = nlohmann::json::parse(in, nullptr, false);
  try {
    const auto id = bytes_of(document.at("engine_id").get<std::string>());
    const auto boots = document.at("boots").get<std::uint32_t>();
    if (id && boots < most_boots) return SnmpEngine{*id, boots + 1};
  } catch (const nlohmann::json::exception&) {
  }
  return std::nullopt;
}

bool write(const std::filesystem::path& file, const SnmpEngine& engine) {
  const std::filesystem::path fresh = file.string() + ".new";
  std::ofstream out{fresh};
  out << nlohmann::json{{"engine_id", hex(engine.id)}, {"boots", engine.boots}}.dump() << '\n';
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(fresh, file, error);
  return out && !error;
}

}  // namespace

SnmpEngine start_snmp_engine(const std::filesystem::path& data_dir, const Log& log) {
  const std::filesystem::path file = data_dir / "snmp_engine.json";
  const SnmpEngine engine = engine_in(file).value_or(new_engine());
  if (write(file, engine)) return engine;
  log.warning("{} cannot be written: senders of informs have to learn our SNMP engine id after each start",
              file.string());
  return new_engine();
}

void use_snmp_engine(const SnmpEngine& engine) {
  const auto lock = lock_snmp_library();
  const auto* id = reinterpret_cast<const u_char*>(engine.id.data());
  set_exact_engineID(id, engine.id.size());
  // As if the number of the last time had been read from the library's own file: it counts one up.
  std::string before = std::to_string(engine.boots - 1);
  engineBoots_conf("engineBoots", before.data());
  set_enginetime(id, static_cast<u_int>(engine.id.size()), engine.boots,
                 static_cast<u_int>(snmpv3_local_snmpEngineTime()), TRUE);
}

}  // namespace watchroom::agent
