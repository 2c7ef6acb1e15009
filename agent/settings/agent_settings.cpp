// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/settings/agent_settings.hpp"

#include <array>
#include <charconv>

#include <arpa/inet.h>

#include "agent/settings/devices_reader.hpp"
#include "proto/link/topic.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

std::string read_id(const SettingsTable& table, std::string_view key, std::string_view help) {
  std::string id = table.text(key, {.help = help});
  if (!id.empty() && !is_valid_id(id)) table.reject(key, "1 to 64 letters, digits, _ or -");
  return id;
}

std::vector<std::string> read_ack_hosts(const SettingsTable& table) {
  auto hosts = table.texts(
      "ack_hosts", "Sparkplug host ids whose acknowledgement deletes records; []: deleted once published",
      {"watchroom"});
  for (const std::string& host : hosts)
    if (!is_valid_host_id(host))
      table.complain("ack_hosts",
                     fmt::format("\"{}\" is not valid, expected a host id without # / + or blanks", host));
  return hosts;
}

AgentSettings::Journal read_journal(const SettingsTable& table) {
  AgentSettings::Journal journal;
  journal.ack_hosts = read_ack_hosts(table);
  journal.urgent_commit = table.duration(
      "urgent_commit_ms", {.help = "state and quality changes and core devices are on disk after this",
                           .fallback = 200ms,
                           .least = 10ms,
                           .most = 10s});
  journal.commit = table.duration(
      "commit_ms",
      {.help = "the rest is on disk and on its way after this", .fallback = 10s, .least = 10ms, .most = 60s});
  journal.max_size_bytes =
      1024 * 1024 *
      table.integer(
          "max_size_mb",
          {.help = "the oldest records go beyond this", .fallback = 512, .least = 8, .most = 1'000'000});
  journal.max_memory_bytes =
      1024 * 1024 *
      table.integer("max_memory_mb", {.help = "kept in memory while the disk takes nothing; the oldest go",
                                      .fallback = 8,
                                      .least = 1,
                                      .most = 1024});
  journal.max_age = table.duration("max_age_days", {.help = "older records go, acknowledged or not",
                                                    .fallback = 24h * 30,
                                                    .least = 24h,
                                                    .most = 24h * 3650});
  journal.replay_records_per_s = static_cast<int>(
      table.integer("replay_records_per_s", {.help = "how fast a backlog is sent beside live readings",
                                             .fallback = 500,
                                             .least = 1,
                                             .most = 100'000}));
  table.finish();
  return journal;
}

std::optional<ListenAddress> read_metrics(const SettingsTable& table) {
  const std::string listen = table.text(
      "listen", {.help = "where GET /metrics (Prometheus) and /healthz are answered; \"\": nowhere",
                 .fallback = "127.0.0.1:9464"});
  table.finish();
  if (listen.empty()) return std::nullopt;
  auto address = ListenAddress::parse(listen);
  if (!address)
    table.reject("listen", "an IP address and a port, e.g. \"127.0.0.1:9464\", or \"\" for none");
  else if (!address->is_loopback())
    table.warn("listen",
               fmt::format("whoever reaches {} can read the figures: there is no password and no TLS",
                           address->str()));
  return address;
}

std::optional<EstAddress> read_enrolment(const SettingsTable& table) {
  const auto url = table.optional_text(
      "url",
      "where the certificate is renewed, e.g. \"https://centre.example:8444\"; absent: not by the agent");
  table.finish();
  if (!url) return std::nullopt;
  auto address = EstAddress::parse(*url);
  if (!address) table.reject("url", "an address such as \"https://centre.example:8444\"");
  return address;
}

std::chrono::milliseconds read_trial(const SettingsTable& table) {
  const auto trial =
      table.duration("trial_s", {.help = "a configuration from the centre with which it is not heard for so "
                                         "long is given up for the one before",
                                 .fallback = 10min,
                                 .least = 10s,
                                 .most = 24h});
  table.finish();
  return trial;
}

AgentSettings::Self read_self(const SettingsTable& table) {
  AgentSettings::Self self;
  const SettingsTable own = table.table("self");
  self.is_enabled = own.flag("enabled", true, "tell the centre of this agent itself, as the device \"self\"");
  own.finish();
  self.metrics = read_metrics(table.table("metrics"));
  return self;
}

ClassTerms read_terms(const SettingsTable& table, std::chrono::milliseconds interval,
                      std::chrono::milliseconds silence) {
  ClassTerms terms;
  terms.poll_interval = table.duration(
      "poll_interval_ms",
      {.help = "time between two readings", .fallback = interval, .least = 100ms, .most = 24h});
  terms.max_silence = table.duration(
      "max_silence_s",
      {.help = "an unchanged value is sent again after this", .fallback = silence, .least = 1s, .most = 60s});
  terms.points = table.choice<PointChoice>(
      "points", {{"all", PointChoice::all}, {"essential", PointChoice::essential}}, PointChoice::all,
      "essential: without energies, reactive power, serial numbers and the like");
  check_pace(table, terms);
  table.finish();
  return terms;
}

AllClassTerms read_classes(const SettingsTable& table) {
  const AllClassTerms classes{read_terms(table.table("core"), 2s, 30s),
                              read_terms(table.table("key"), 10s, 60s),
                              read_terms(table.table("general"), 30s, 60s)};
  table.finish();
  return classes;
}

bool is_place_to_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  std::string host = text.substr(0, colon);
  const bool is_v6 = host.starts_with('[') && host.ends_with(']');
  if (is_v6) host = host.substr(1, host.size() - 2);
  std::array<unsigned char, 16> address{};
  int port = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, port);
  return ::inet_pton(is_v6 ? AF_INET6 : AF_INET, host.c_str(), address.data()) == 1 &&
         read.ec == std::errc{} && read.ptr == end && port >= 1 && port <= 65'535;
}

AgentSettings::SnmpTraps read_snmp_traps(const SettingsTable& table) {
  AgentSettings::SnmpTraps traps;
  traps.listen =
      table.texts("listen", "where traps and informs arrive, such as \"0.0.0.0:162\"; []: nobody listens");
  for (const std::string& place : traps.listen)
    if (!is_place_to_listen(place))
      table.complain("listen",
                     fmt::format("\"{}\" is not valid, expected a numeric address and a port, such as "
                                 "\"127.0.0.1:162\" or \"[::1]:162\"",
                                 place));
  if (const auto file = table.optional_file(
          "community_file", {.help = "file with a community of traps, besides each device's own"})) {
    std::error_code ignored;
    auto secret = read_secret(*file);
    if (secret)
      traps.community = *std::move(secret);
    else if (std::filesystem::exists(*file, ignored))  // a missing file is reported already
      table.complain("community_file", secret.error().text);
  }
  table.finish();
  return traps;
}

std::filesystem::path read_profiles_dir(const SettingsTable& table) {
  const auto given = table.optional_file(
      "profiles_dir", {.help = "folder of device profiles; default: the installed one", .is_folder = true});
  return given.value_or(installed_profiles_folder());
}

/// What can change while the agent runs, and may come from the centre.
void read_watched(const SettingsTable& table, AgentSettings& settings) {
  settings.snmp_traps = read_snmp_traps(table.table("snmp_traps"));
  settings.classes = read_classes(table.table("classes"));
  DevicesReader devices{settings.profiles_dir, settings.classes, *settings.point_lists};
  for (const SettingsTable& device : table.tables("device")) settings.devices.push_back(devices.read(device));
  settings.judge = JudgeSettings::read(table, settings.devices);
  if (!settings.judge.is_empty() && !settings.self.is_enabled)
    table.warn("self", "enabled = false: the centre cannot tell when an output fails or is inhibited");
  table.finish();
}

/// The centre cannot make a fire panel settable by leaving it out.
void check_protected(const SettingsTable& given, const std::vector<ConfiguredDevice>& own,
                     const std::vector<ConfiguredDevice>& devices) {
  for (const ConfiguredDevice& panel : own) {
    const std::string protection = protection_of(panel);
    if (protection.empty() || panel.address.text.empty()) continue;
    for (const ConfiguredDevice& device : devices)
      if (device.profile && device.profile->has_writable() && !device.address.text.empty() &&
          device.address.place() == panel.address.place())
        given.problems().add(
            {given.file_name(), device.line, "device.address",
             fmt::format("\"{}\" of the device \"{}\" is the address of \"{}\" in agent.toml, "
                         "expected nothing that can be set there: {}",
                         device.address.text, device.description.id, panel.description.id, protection)});
  }
}

AgentSettings read_settings(const SettingsTable& table, const std::optional<SettingsTable>& given = {}) {
  AgentSettings settings;
  settings.site = read_id(table, "site", "the site this room belongs to; the Sparkplug group");
  settings.agent = read_id(table, "agent", "this agent; the Sparkplug edge node");
  settings.name = table.text("name", {.help = "what people call it", .fallback = settings.agent});
  settings.data_dir = table.file("data_dir", {.help = "folder of the journal; made when missing",
                                              .fallback = "/var/lib/watchroom/agent",
                                              .must_exist = false});
  settings.profiles_dir = read_profiles_dir(table);
  settings.log_level = table.choice<LogLevel>("log_level",
                                              {{"debug", LogLevel::debug},
                                               {"info", LogLevel::info},
                                               {"warning", LogLevel::warning},
                                               {"error", LogLevel::error}},
                                              LogLevel::info, "the least that is worth a line");
  settings.broker = BrokerSettings::read(table.table("broker"));
  settings.enrolment = read_enrolment(table.table("enrolment"));
  settings.configuration_trial = read_trial(table.table("configuration"));
  settings.journal = read_journal(table.table("journal"));
  settings.self = read_self(table);
  if (!given) {
    read_watched(table, settings);
    return settings;
  }
  AgentSettings unused;  // but checked: it is what the agent falls back to
  unused.profiles_dir = settings.profiles_dir;
  read_watched(table, unused);
  read_watched(*given, settings);
  check_protected(*given, unused.devices, settings.devices);
  // The room goes on guarding itself, or the configuration is refused: nobody takes a siren away by leaving
  // it out.
  if (settings.judge.is_empty()) settings.judge = JudgeSettings::read(table, settings.devices);
  return settings;
}

std::optional<AgentSettings> read(const std::optional<SettingsTable>& table, const Problems& problems,
                                  std::size_t problems_before,
                                  const std::optional<SettingsTable>& given = {}) {
  if (!table) return std::nullopt;
  AgentSettings settings = read_settings(*table, given);
  if (problems.all().size() > problems_before) return std::nullopt;
  return settings;
}

}  // namespace

std::optional<AgentSettings> AgentSettings::load(const std::filesystem::path& file, Problems& problems,
                                                 const std::optional<GivenSettings>& given) {
  const std::size_t before = problems.all().size();
  if (!given) return read(SettingsTable::load(file, problems), problems, before);
  auto table = SettingsTable::parse(given->text, (file.parent_path() / given->name).string(), problems);
  if (!table) return std::nullopt;
  table->confine();
  return read(SettingsTable::load(file, problems), problems, before, table);
}

std::optional<AgentSettings> AgentSettings::parse(std::string_view text, const std::string& file,
                                                  Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::parse(text, file, problems), problems, before);
}

void set_points(ConfiguredDevice& device, const std::vector<FoundPoint>& found, PointLists& lists) {
  DevicePoints points = lists.of(device.profile, found, device.terms.points);
  device.description.points = std::move(points.descriptions);
  device.description.called = std::move(points.called);
  device.sources = std::move(points.sources);
}

void put_into_class(ConfiguredDevice& device, ResourceClass resource_class, const AllClassTerms& classes) {
  DeviceDescription& description = device.description;
  const bool is_as_configured = resource_class == description.configured_class;
  const ClassTerms& terms =
      is_as_configured ? device.own_terms : classes[static_cast<std::size_t>(resource_class)];
  description.resource_class = resource_class;
  description.poll_interval = terms.poll_interval;
  description.max_silence = terms.max_silence;
  device.terms = terms;
}

std::string AgentSettings::describe() {
  std::vector<KeyDescription> descriptions;
  Problems ignored;
  read_settings(SettingsTable::describing(descriptions, ignored));
  return to_toml_reference(descriptions);
}

}  // namespace watchroom::agent
