// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/sample.hpp"

#include "agent/drivers/snmp/object_source.hpp"
#include "agent/drivers/snmp/object_value.hpp"
#include "agent/drivers/snmp/table_reader.hpp"

namespace watchroom::agent {
namespace {

using Objects = std::map<Oid, ObjectValue>;

struct SnmpSample {
  Objects objects;
};

Result<std::vector<FoundPoint>> found_in(const Profile& profile, const Objects& objects) {
  const auto column = [&](const Oid& root) -> Result<Objects> {
    Objects rows;
    for (const auto& [oid, value] : objects)
      if (oid.size() > root.size() && std::equal(root.begin(), root.end(), oid.begin()))
        rows.emplace(Oid{oid.begin() + static_cast<std::ptrdiff_t>(root.size()), oid.end()}, value);
    return rows;
  };
  TableReader tables{column};
  std::vector<FoundPoint> found;
  for (const ProfilePoint& point : profile.points) {
    if (!point.is_table()) {
      if (point.is_optional) found.push_back({point.key, {}});
      continue;
    }
    const auto rows = tables.rows_of(point.source.where.as<ObjectSource>());
    if (!rows) return rows.error();
    for (const Oid& index : *rows) found.push_back({point.key, index});
  }
  return found;
}

}  // namespace

DriverPart read_snmp_sample(const SettingsTable& table) {
  SnmpSample sample;
  const SettingsTable varbinds = table.table("varbinds");
  for (const std::string& key : varbinds.keys()) {
    const auto value = varbinds.scalar(key);
    auto oid = parse_oid(key);
    if (!oid) varbinds.reject(key, "a numeric OID as the key");
    if (!oid || !value) continue;
    const auto integer = integer_of(*value);
    sample.objects.emplace(*std::move(oid), integer ? ObjectValue{*integer} : ObjectValue{*value});
  }
  varbinds.finish();
  return sample;
}

Result<NamedReadings> play_snmp_sample(const Profile& profile, const DriverPart& answer) {
  const Objects& objects = answer.as<SnmpSample>().objects;
  const auto found = found_in(profile, objects);
  if (!found) return found.error();
  const DevicePoints points = points_of(profile, *found);
  NamedReadings readings;
  for (std::size_t i = 0; i < points.sources.size(); ++i)
    readings.emplace_back(points.descriptions[i].name.str(),
                          to_reading(objects, points.sources[i].where.as<ObjectSource>(),
                                     points.sources[i].conversion, Timestamp{}));
  return readings;
}

}  // namespace watchroom::agent
