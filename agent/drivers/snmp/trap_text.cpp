// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "agent/drivers/readable_text.hpp"

namespace watchroom::agent {
namespace {

const Oid snmp_traps{1, 3, 6, 1, 6, 3, 1, 1, 5};  // RFC 3418 2

struct Known {
  std::uint32_t arc;
  std::string_view text;
};
constexpr std::array<Known, 6> standard_traps{{{1, "设备冷启动 Cold start"},
                                               {2, "设备热启动 Warm start"},
                                               {3, "链路断开 Link down"},
                                               {4, "链路恢复 Link up"},
                                               {5, "SNMP 认证失败 Authentication failure"},
                                               {6, "EGP 邻居丢失 EGP neighbour lost"}}};

const Oid interface_entry{1, 3, 6, 1, 2, 1, 2, 2, 1};  // RFC 2863: what linkDown and linkUp carry
constexpr std::array<Known, 4> interface_columns{
    {{1, "接口 interface"}, {2, "接口名 interface name"}, {7, "管理状态 admin"}, {8, "运行状态 oper"}}};

/// Bindings that say what the trap is, not what happened.
bool is_envelope(const Oid& oid) {
  static const std::array<Oid, 5> envelope{
      Oid{1, 3, 6, 1, 2, 1, 1, 3, 0}, Oid{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0},
      Oid{1, 3, 6, 1, 6, 3, 1, 1, 4, 3, 0}, Oid{1, 3, 6, 1, 6, 3, 18, 1, 3, 0},
      Oid{1, 3, 6, 1, 6, 3, 18, 1, 4, 0}};
  return std::ranges::find(envelope, oid) != envelope.end();
}

bool is_below(const Oid& oid, const Oid& root) {
  return oid.size() > root.size() && std::equal(root.begin(), root.end(), oid.begin());
}

std::string name_of_trap(const Profile& profile, const Oid& notification) {
  if (const ProfileTrap* trap = profile.traits.as<SnmpTraits>().trap_named(notification))
    return trap->text.zh + " " + trap->text.en;
  if (is_below(notification, snmp_traps) && notification.size() == snmp_traps.size() + 1)
    for (const Known& one : standard_traps)
      if (one.arc == notification.back()) return std::string{one.text};
  return oid_text(notification);
}

/// At most so many bytes, and whole characters.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) --end;
  text.resize(end);
  return text + "…";
}

std::string raw_text(const ObjectValue& value) {
  constexpr std::size_t most = 120;
  if (const auto* text = std::get_if<std::string>(&value)) return cut(readable_text(*text), most);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  return "-";
}

std::string value_text(const ProfilePoint& point, const ObjectValue& value) {
  const auto& source = point.source.where.as<ObjectSource>();
  if (source.decimals || source.factor) return raw_text(value);  // what it is to be multiplied by is not here
  const Reading reading = to_reading(value, source, point.source.conversion, Timestamp{});
  if (!reading.value) return raw_text(value);
  if (const auto* code = std::get_if<std::int64_t>(&*reading.value))
    if (const auto state = point.traits->states.find(*code); state != point.traits->states.end())
      return state->second.zh + " " + state->second.en;
  const std::string text = cut(to_text(*reading.value), 120);
  const auto symbol = symbol_of(point.traits->unit);
  return symbol.empty() ? text : fmt::format("{} {}", text, symbol);
}

std::string binding_text(const Profile& profile, const Varbind& binding) {
  if (const auto point = point_at(profile, binding.oid)) {
    std::string name = point->name;
    if (const auto& label = point->point->traits->label)
      name += fmt::format(" ({} {})", label->zh, label->en);
    return name + " = " + value_text(*point->point, binding.value);
  }
  if (is_below(binding.oid, interface_entry) && binding.oid.size() == interface_entry.size() + 2)
    for (const Known& column : interface_columns)
      if (column.arc == binding.oid[interface_entry.size()])
        return fmt::format("{} = {}", column.text, raw_text(binding.value));
  return oid_text(binding.oid) + " = " + raw_text(binding.value);
}

}  // namespace

Oid notification_of(const Oid& enterprise, int generic, std::uint32_t specific) {
  constexpr int enterprise_specific = 6;
  if (generic >= 0 && generic < enterprise_specific) {
    Oid oid = snmp_traps;
    oid.push_back(static_cast<std::uint32_t>(generic) + 1);
    return oid;
  }
  Oid oid = enterprise;
  oid.push_back(0);
  oid.push_back(specific);
  return oid;
}

bool is_start(const Oid& notification) {
  return is_below(notification, snmp_traps) && notification.size() == snmp_traps.size() + 1 &&
         notification.back() <= 2;
}

std::string trap_text(const Profile& profile, const Oid& notification, const std::vector<Varbind>& bindings) {
  std::string text = cut(name_of_trap(profile, notification), longest_trap_text / 2);
  std::size_t left_out = 0;
  bool is_first = true;
  for (const Varbind& binding : bindings) {
    if (is_envelope(binding.oid)) continue;
    const std::string part = binding_text(profile, binding);
    constexpr std::size_t room_for_rest = 16;
    if (text.size() + part.size() + room_for_rest > longest_trap_text) {
      ++left_out;
      continue;
    }
    text += (std::exchange(is_first, false) ? ": " : "; ") + part;
  }
  if (left_out > 0) text += fmt::format(" …+{}", left_out);
  return text;
}

}  // namespace watchroom::agent
