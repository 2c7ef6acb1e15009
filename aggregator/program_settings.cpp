// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/program_settings.hpp"

namespace watchroom::aggregator {
namespace {

Regions read_regions(const SettingsTable& table) {
  Regions regions;
  for (const SettingsTable& region : table.tables("region")) {
    const std::string name = region.text("name", {.help = "what users' domains call it: region:NAME"});
    if (!name.empty() && (!is_domain("region:" + name) || regions.contains(name)))
      region.reject("name", "a name without control characters that no other region has");
    const auto sites = region.texts("sites", "the sites (Sparkplug groups) in it");
    if (sites.empty()) region.complain("sites", "names no site, expected at least one");
    for (const std::string& site : sites)
      if (!is_domain("site:" + site)) region.reject("sites", "names of sites, without \"/\"");
    regions[name].insert(sites.begin(), sites.end());
    region.finish();
  }
  return regions;
}

}  // namespace

ProgramSettings ProgramSettings::read(const SettingsTable& table) {
  ProgramSettings read{AggregatorSettings::read(table), WebSettings::read(table.table("web")),
                       read_regions(table), std::nullopt, AuditLog::Limits::read(table.table("audit"))};
  if (const auto enrolment = table.optional_table("enrolment"))
    read.enrolment = EnrolmentSettings::read(*enrolment);
  table.finish();
  return read;
}

std::optional<ProgramSettings> ProgramSettings::load(const std::string& file, Problems& problems) {
  std::optional<ProgramSettings> loaded;
  if (const auto table = SettingsTable::load(file, problems)) {
    loaded = read(*table);
    // One that does not exist is made by the first start.
    if (std::error_code ignored; std::filesystem::exists(loaded->web.users_file, ignored)) {
      Users users{loaded->web.users_file, Log::quiet()};
      users.load(problems);
    }
  }
  return problems.empty() ? std::move(loaded) : std::nullopt;
}

}  // namespace watchroom::aggregator
