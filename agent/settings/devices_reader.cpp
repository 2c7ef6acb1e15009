// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/settings/devices_reader.hpp"

#include <algorithm>
#include <set>

#include <fmt/ranges.h>

#include "agent/drivers/driver.hpp"
#include "agent/profiles/profile_grammar.hpp"
#include "proto/model/point_name.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// How many pairs of neighbouring letters two names share.
std::size_t shared_pairs(std::string_view a, std::string_view b) {
  std::multiset<std::string_view> pairs;
  for (std::size_t i = 0; i + 1 < a.size(); ++i) pairs.insert(a.substr(i, 2));
  std::size_t shared = 0;
  for (std::size_t i = 0; i + 1 < b.size(); ++i)
    if (const auto found = pairs.find(b.substr(i, 2)); found != pairs.end()) pairs.erase(found), ++shared;
  return shared;
}

/// The few that look most like what was written.
std::vector<std::string> nearest(const std::string& written, std::vector<std::string> names) {
  constexpr std::size_t enough = 4;
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return shared_pairs(written, a) > shared_pairs(written, b);
  });
  if (names.size() > enough) names.resize(enough);
  return names;
}

void add_problem(const SettingsTable& table, std::string_view key, std::string text,
                 const std::string& part = "") {
  std::string field = table.field() + "." + std::string{key};
  if (!part.empty()) field += "." + part;
  table.problems().add({table.file_name(), table.line_of(key), std::move(field), std::move(text)});
}

void check_secret(const SettingsTable& table, std::string_view key,
                  const std::optional<std::filesystem::path>& file) {
  std::error_code ignored;
  if (!file || !std::filesystem::exists(*file, ignored)) return;  // a missing file is reported already
  if (const auto secret = read_secret(*file); !secret) add_problem(table, key, secret.error().text);
}

/// Of all drivers, for only the address tells which one's are meant.
std::vector<DeviceSecret> read_secrets(const SettingsTable& table) {
  std::vector<DeviceSecret> secrets;
  for (const DriverType* type : driver_types())
    for (const SecretKey& key : type->addresses.secrets) {
      const auto file = table.optional_file(key.key, {.help = key.help});
      check_secret(table, key.key, file);
      if (file) secrets.push_back({key.key, *file});
    }
  return secrets;
}

/// Each secret must be there when the address needs it, and only then.
void check_secrets(const SettingsTable& table, const DeviceAddress& address) {
  for (const DriverType* type : driver_types())
    for (const SecretKey& key : type->addresses.secrets) {
      const bool is_given = address.secret(key.key) != nullptr;
      const bool is_needed = type == address.type && key.is_needed(address.where);
      if (is_needed && !is_given)
        table.reject(key.key, "a file that holds it, because the address asks for it");
      else if (is_given && !is_needed)
        table.reject(key.key, "no such key beside this address");
    }
}

}  // namespace

void check_pace(const SettingsTable& table, const ClassTerms& terms) {
  if (terms.poll_interval <= terms.max_silence) return;
  const char* key = table.has("poll_interval_ms") ? "poll_interval_ms" : "max_silence_s";
  table.complain(key,
                 fmt::format("polled every {} ms but to be sent every {} s, expected poll_interval_ms not "
                             "longer than max_silence_s",
                             terms.poll_interval.count(), terms.max_silence / 1s));
}

void DevicesReader::check_id(const SettingsTable& table, const std::string& id) {
  if (id.empty()) return;
  if (!is_valid_id(id)) table.reject("id", "1 to 64 letters, digits, _ or -");
  if (lower_case(id) == "self")
    add_problem(table, "id",
                fmt::format("\"{}\" is the agent's own, expected another id (capitals do not tell two ids "
                            "apart)",
                            id));
  const auto [first, is_new] = ids_.try_emplace(lower_case(id), FirstUse{id, table.line_of("id")});
  if (!is_new)
    add_problem(table, "id",
                fmt::format("\"{}\" is taken by the device \"{}\" in line {}, expected an id of its own "
                            "(capitals do not tell two ids apart)",
                            id, first->second.text, first->second.line));
}

std::shared_ptr<const Profile> DevicesReader::find_profile(const SettingsTable& table,
                                                           const std::string& name) {
  if (name.empty()) return nullptr;
  std::filesystem::path file = profiles_dir_ / (name + ".toml");
  if (name.ends_with(".toml")) {
    file = name;
    if (file.is_relative()) file = table.folder() / file;
  }
  const auto [at, is_new] = profiles_.try_emplace(file.string());
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    const auto names = profile_names(profiles_dir_);
    if (names.empty()) {
      add_problem(
          table, "profile",
          fmt::format("\"{}\" is not known: there are no profiles in {}, expected profiles_dir to name the "
                      "folder that has them",
                      name, profiles_dir_.string()));
      return nullptr;
    }
    add_problem(table, "profile",
                fmt::format("\"{}\" is not known, expected a file {} or one of the {} profiles of {}, the "
                            "nearest being {}",
                            name, file.string(), names.size(), profiles_dir_.string(),
                            fmt::join(nearest(name, names), ", ")));
    return nullptr;
  }
  if (is_new)
    if (auto profile = Profile::load(file, table.problems()))
      at->second = std::make_shared<const Profile>(*std::move(profile));
  return at->second;
}

void DevicesReader::add_profile(const SettingsTable& table, ConfiguredDevice& device,
                                const std::string& name) {
  const auto more = find_profile(table, name);
  if (!more || !device.profile) return;
  if (more->bus == device.profile->bus) {
    auto& both = combined_[device.profile->name + "+" + more->name];
    if (!both) both = std::make_shared<const Profile>(combined(*device.profile, *more));
    device.profile = both;
  } else
    add_problem(table, "more_profiles",
                fmt::format("\"{}\" is a {} profile, expected a {} one as {} is", name, more->bus,
                            device.profile->bus, device.profile->name));
}

void DevicesReader::read_address(const SettingsTable& table, DeviceAddress& address) {
  const std::string text = table.text("address", {.help = "what `probe` takes, without secrets"});
  address.secrets = read_secrets(table);
  if (text.empty()) return;
  std::vector<AddressComplaint> complaints;
  auto parsed = parse_address(text, AddressOrigin::settings, complaints);
  for (AddressComplaint& complaint : complaints)
    add_problem(table, "address", std::move(complaint.text), complaint.part);
  if (!parsed) return;
  parsed->secrets = address.secrets;
  address = *std::move(parsed);
  check_secrets(table, address);
  check_line(table, address);
}

void DevicesReader::check_line(const SettingsTable& table, const DeviceAddress& address) {
  const SharedBus bus = address.type->addresses.bus(address.where);
  if (bus.settings.empty()) return;
  const auto [first, is_new] = lines_.try_emplace(bus.name, FirstUse{bus.settings, table.line_of("address")});
  if (is_new || first->second.text == bus.settings) return;
  add_problem(table, "address",
              fmt::format("{} is used with {}, but in line {} with {}, expected one setting for one line",
                          bus.name, bus.settings, first->second.line, first->second.text));
}

void DevicesReader::check_driver(const SettingsTable& table, const ConfiguredDevice& device) const {
  if (!device.profile || device.address.text.empty()) return;
  std::string expected;
  if (device.profile->bus != device.address.driver())
    expected = fmt::format("a {} address", device.profile->bus);
  else if (const auto misfit = device.address.type->misfit)
    expected = misfit(device.address, *device.profile, table.problems());
  if (!expected.empty())
    add_problem(table, "address",
                fmt::format("\"{}\" does not fit the profile {}, expected {}", device.address.text,
                            device.profile->name, expected));
}

std::string protection_of(const ConfiguredDevice& device) {
  if (!device.profile) return "";
  std::string protection = device.profile->protection;
  for (const std::string* text : {&device.description.id, &device.description.name})
    if (protection.empty()) protection = told_of_release(*text, SaidOf::what_is_read);
  return protection;
}

/// However often and by whatever profiles an address is read, on one of fire protection nothing can be set.
void DevicesReader::check_protection(const SettingsTable& table, const ConfiguredDevice& device) {
  const std::string protection = protection_of(device);
  const bool has_writable = device.profile->has_writable();
  const FirstUse self{device.description.id, table.line_of("address")};
  if (has_writable && !protection.empty())
    add_problem(table, table.has("more_profiles") ? "more_profiles" : "profile",
                fmt::format("\"{}\" has points that can be set, expected none: {}", device.profile->name,
                            protection));
  if (device.address.text.empty()) return;
  AtPlace& place = places_[device.address.place()];
  const auto complain = [&](const FirstUse& other, const std::string& reason) {
    add_problem(
        table, "address",
        fmt::format("\"{}\" is the address of the device \"{}\" in line {} too, expected nothing that "
                    "can be set there: {}",
                    device.address.text, other.text, other.line, reason));
  };
  if (has_writable && place.of_protection.line) complain(place.of_protection, place.protection);
  if (!protection.empty() && place.settable.line) complain(place.settable, protection);
  if (has_writable && !place.settable.line) place.settable = self;
  if (!protection.empty() && !place.of_protection.line) {
    place.of_protection = self;
    place.protection = protection;
  }
}

ConfiguredDevice DevicesReader::read(const SettingsTable& table) {
  ConfiguredDevice device;
  device.line = table.line();
  DeviceDescription& description = device.description;
  description.id = table.text("id", {.help = "1 to 64 letters, digits, _ or -; its name on the wire"});
  check_id(table, description.id);
  description.name = table.text("name", {.help = "what people call it", .fallback = description.id});
  description.profile = table.text("profile", {.help = "a profile's name, or a path ending in .toml"});
  device.profile = find_profile(table, description.profile);
  for (const std::string& more :
       table.texts("more_profiles", "further ones that fit it, as `probe` names them"))
    add_profile(table, device, more);
  read_address(table, device.address);
  check_driver(table, device);

  description.resource_class = table.choice<ResourceClass>(
      "class",
      {{"core", ResourceClass::core}, {"key", ResourceClass::key}, {"general", ResourceClass::general}},
      ResourceClass::general, "how closely it is watched; sets the two times below");
  description.configured_class = description.resource_class;
  ClassTerms& terms = device.own_terms;
  terms = classes_[static_cast<std::size_t>(description.resource_class)];
  if (const auto interval = table.optional_duration(
          "poll_interval_ms",
          {.help = "time between two readings; default by class", .least = 100ms, .most = 24h}))
    terms.poll_interval = *interval;
  if (const auto silence = table.optional_duration(
          "max_silence_s", {.help = "an unchanged value is sent again after this", .least = 1s, .most = 60s}))
    terms.max_silence = *silence;
  if (table.has("poll_interval_ms") || table.has("max_silence_s")) check_pace(table, terms);
  put_into_class(device, description.resource_class, classes_);
  const auto reply_timeout = table.optional_duration(
      "reply_timeout_ms",
      {.help = "longest wait for a reply; default by profile", .least = 20ms, .most = 10s});
  const auto gap = table.optional_duration(
      "gap_ms", {.help = "pause between two requests; default by profile", .most = 10s});
  table.finish();

  if (const Profile* profile = device.profile.get()) {
    description.profile = profile->name;
    description.maker = profile->maker;
    description.model = profile->model;
    device.reply_timeout = reply_timeout.value_or(profile->reply_timeout);
    device.gap = gap.value_or(profile->gap);
    set_points(device, {}, lists_);
    check_protection(table, device);
  }
  return device;
}

}  // namespace watchroom::agent
