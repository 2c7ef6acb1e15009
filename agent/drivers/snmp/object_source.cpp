// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/object_source.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace watchroom::agent {
namespace {

constexpr std::size_t longest_oid = 128;  // RFC 2578 3.5

bool is_instance(const Oid& oid) { return !oid.empty() && oid.back() == 0; }

Oid in_row(Oid column, const Oid& index) {
  if (!is_instance(column)) column.insert(column.end(), index.begin(), index.end());
  return column;
}

/// The 0 that SNMPv1's traps get before their number, and that makers' MIBs write or leave out.
Oid without_zero(Oid oid) {
  if (oid.size() > 2 && oid[oid.size() - 2] == 0) oid.erase(oid.end() - 2);
  return oid;
}

}  // namespace

std::optional<Oid> parse_oid(std::string_view text) {
  if (text.starts_with('.')) text.remove_prefix(1);
  Oid oid;
  while (true) {
    std::uint32_t arc = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), arc);
    if (error != std::errc{} || oid.size() == longest_oid) return std::nullopt;
    oid.push_back(arc);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) return oid.size() >= 2 ? std::optional{oid} : std::nullopt;
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
  }
}

std::string oid_text(const Oid& oid) {
  std::string text;
  for (const std::uint32_t arc : oid) text += fmt::format("{}{}", text.empty() ? "" : ".", arc);
  return text;
}

std::string IndexShape::text() const {
  std::string written;
  for (const auto& arc : arcs)
    written += (written.empty() ? "" : ".") + (arc ? std::to_string(*arc) : std::string{"*"});
  if (takes_rest) written += written.empty() ? "**" : ".**";
  return written;
}

bool IndexShape::fits(const Oid& index_of_row) const {
  if (takes_rest ? index_of_row.size() < arcs.size() : index_of_row.size() != arcs.size()) return false;
  for (std::size_t i = 0; i < arcs.size(); ++i)
    if (arcs[i] && *arcs[i] != index_of_row[i]) return false;
  return true;
}

Oid IndexShape::instance(const Oid& index_of_row) const {
  Oid telling;
  for (std::size_t i = 0; i < index_of_row.size(); ++i)
    if (i >= arcs.size() || !arcs[i]) telling.push_back(index_of_row[i]);
  return telling;
}

ObjectSource ObjectSource::row(const Oid& of_row) const {
  ObjectSource one;
  one.oid = oid;
  one.oid.insert(one.oid.end(), of_row.begin(), of_row.end());
  if (decimals) one.decimals = in_row(*decimals, of_row);
  if (factor) one.factor = FactorObject{in_row(factor->oid, of_row), factor->factors};
  one.part = part;
  if (write) {
    ObjectWrite of_one = *write;
    of_one.oid = in_row(write->oid, of_row);
    one.write = std::make_shared<const ObjectWrite>(std::move(of_one));
  }
  return one;
}

// An instance knows no dots.
std::string ObjectSource::instance_of(const Oid& of_row) const {
  std::string text = instance_prefix;
  const Oid telling = index ? index->instance(of_row) : of_row;
  for (std::size_t i = 0; i < telling.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : "-", telling[i]);
  return text;
}

const ProfileTrap* SnmpTraits::trap_named(const Oid& notification) const {
  const Oid wanted = without_zero(notification);
  const auto found =
      std::ranges::find_if(traps, [&](const ProfileTrap& trap) { return without_zero(trap.oid) == wanted; });
  return found == traps.end() ? nullptr : &*found;
}

std::optional<PointAt> point_at(const Profile& profile, const Oid& object) {
  for (const ProfilePoint& point : profile.points) {
    const auto& where = point.source.where.as<ObjectSource>();
    if (object.size() < where.oid.size() || !std::equal(where.oid.begin(), where.oid.end(), object.begin()))
      continue;
    const Oid index{object.begin() + static_cast<std::ptrdiff_t>(where.oid.size()), object.end()};
    if (where.is_column == index.empty() || (where.index && !where.index->fits(index))) continue;
    return PointAt{&point, where.is_column ? point.name_of_row(where.instance_of(index)) : point.name};
  }
  return std::nullopt;
}

}  // namespace watchroom::agent
