// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/profiles/profile.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace watchroom::agent {
namespace {

constexpr std::size_t longest_oid = 128;  // RFC 2578 3.5

/// Index 2 with prefix "L" is "L2", index 1.3 is "1-3": an instance knows no dots.
std::string instance_of(const ObjectSource& column, const Oid& index) {
  std::string text = column.instance_prefix;
  const Oid telling = column.index ? column.index->instance(index) : index;
  for (std::size_t i = 0; i < telling.size(); ++i) text += fmt::format("{}{}", i == 0 ? "" : "-", telling[i]);
  return text;
}

bool is_instance(const Oid& oid) { return !oid.empty() && oid.back() == 0; }

Oid in_row(Oid column, const Oid& index) {
  if (!is_instance(column)) column.insert(column.end(), index.begin(), index.end());
  return column;
}

/// An SNMPv1 trap's OID has a 0 before its number.
Oid without_zero(Oid oid) {
  if (oid.size() > 2 && oid[oid.size() - 2] == 0) oid.erase(oid.end() - 2);
  return oid;
}

std::string with_instance(std::string name, const std::string& instance) {
  for (auto at = name.find("[*]"); at != std::string::npos; at = name.find("[*]"))
    name.replace(at + 1, 1, instance);
  return name;
}

/// A device's points while they are being listed; of two with one name the first counts.
class PointLister {
 public:
  explicit PointLister(PointChoice choice) : choice_{choice} {}

  void add(const ProfilePoint& from, const std::string& name_text, PointSource source, std::string row = {},
           std::string called = {}) {
    auto name = PointName::parse(name_text);
    if (!name) return;  // an index that cannot be an instance; the profile itself was checked
    if (choice_ == PointChoice::essential && name->kind().weight == Weight::detail) return;
    if (!names_.insert(name_text).second) return;
    descriptions_.emplace_back(*std::move(name), from.traits, std::move(row));
    is_called_ |= !called.empty();
    called_.push_back(std::move(called));
    sources_.push_back(std::move(source));
  }
  DevicePoints done() && {
    if (!is_called_) called_.clear();
    return {std::move(descriptions_), std::move(sources_), called_};
  }

  bool is_empty() const { return sources_.empty(); }

 private:
  PointChoice choice_;
  std::set<std::string> names_;
  std::vector<PointDescription> descriptions_;
  std::vector<PointSource> sources_;
  std::vector<std::string> called_;
  bool is_called_ = false;
};

}  // namespace

int width_of(RegisterType type) {
  switch (type) {
    case RegisterType::bit:
    case RegisterType::u16:
    case RegisterType::i16:
    case RegisterType::bcd16: return 1;
    case RegisterType::u32:
    case RegisterType::i32:
    case RegisterType::f32:
    case RegisterType::bcd32: return 2;
    case RegisterType::u64:
    case RegisterType::i64:
    case RegisterType::f64: return 4;
  }
  return 1;
}

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

bool ProfilePoint::is_table() const {
  const auto* object = std::get_if<ObjectSource>(&source.where);
  return object && object->is_column;
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
  return one;
}

std::optional<Profile::PointAt> Profile::point_at(const Oid& object) const {
  for (const ProfilePoint& point : points) {
    const auto* where = std::get_if<ObjectSource>(&point.source.where);
    if (!where || object.size() < where->oid.size() ||
        !std::equal(where->oid.begin(), where->oid.end(), object.begin()))
      continue;
    const Oid index{object.begin() + static_cast<std::ptrdiff_t>(where->oid.size()), object.end()};
    if (where->is_column == index.empty() || (where->index && !where->index->fits(index))) continue;
    return PointAt{&point,
                   where->is_column ? with_instance(point.name, instance_of(*where, index)) : point.name};
  }
  return std::nullopt;
}

const ProfileTrap* Profile::trap_named(const Oid& notification) const {
  const Oid wanted = without_zero(notification);
  const auto found =
      std::ranges::find_if(traps, [&](const ProfileTrap& trap) { return without_zero(trap.oid) == wanted; });
  return found == traps.end() ? nullptr : &*found;
}

DevicePoints points_of(const Profile& profile, const std::vector<FoundPoint>& found, PointChoice choice) {
  std::map<std::string_view, std::vector<const FoundPoint*>> by_key;
  for (const FoundPoint& one : found) by_key[one.profile_point].push_back(&one);
  PointLister points{choice};
  for (const ProfilePoint& point : profile.points) {
    if (!point.must_be_discovered()) {
      points.add(point, point.name, point.source);
      continue;
    }
    const auto here = by_key.find(point.key);
    if (here == by_key.end()) continue;
    if (!point.is_table()) {
      points.add(point, point.name, point.source);
      continue;
    }
    const auto& column = std::get<ObjectSource>(point.source.where);
    for (const FoundPoint* one : here->second) {
      const std::string instance = instance_of(column, one->index);
      points.add(point, with_instance(point.name, instance),
                 {column.row(one->index), point.source.conversion}, instance, one->label);
    }
  }
  if (points.is_empty() && choice == PointChoice::essential)
    return points_of(profile, found, PointChoice::all);
  return std::move(points).done();
}

Profile combined(const Profile& first, const Profile& more) {
  Profile both = first;
  for (ProfilePoint point : more.points) {
    point.key = more.name + ":" + point.key;
    both.points.push_back(std::move(point));
  }
  both.traps.insert(both.traps.end(), more.traps.begin(), more.traps.end());
  both.name += "+" + more.name;
  return both;
}

std::vector<std::string> profile_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{folder, ignored})
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

std::filesystem::path installed_profiles_folder() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "share" / "watchroom" / "profiles";
}

}  // namespace watchroom::agent
