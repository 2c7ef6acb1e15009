// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Reads a profile's TOML. The format is described in README.md beside this file.
#include <algorithm>
#include <array>
#include <charconv>

#include "agent/drivers/driver.hpp"
#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {
namespace {

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::map<std::int64_t, StateText> read_states(const SettingsTable& table) {
  std::map<std::int64_t, StateText> states;
  for (const std::string& key : table.keys()) {
    const SettingsTable state = table.table(key);
    StateText text = read_texts(state);
    if (const auto code = integer_of(key))
      states.emplace(*code, std::move(text));
    else
      table.reject(key, "an integer code before the texts");
  }
  table.finish();
  return states;
}

void read_plausible(const SettingsTable& table, Conversion& conversion) {
  conversion.least_plausible = table.optional_number("min", {.help = "lowest value the sensor can have"});
  conversion.most_plausible = table.optional_number("max", {.help = "highest value the sensor can have"});
  if (conversion.least_plausible && conversion.most_plausible &&
      *conversion.least_plausible >= *conversion.most_plausible)
    table.reject("max", "more than min");
  table.finish();
}

/// One `[[point]]` at a time, with what they may not share.
class PointsReader {
 public:
  PointsReader(const ProfileGrammar& grammar, const Profile& profile)
      : grammar_{grammar}, profile_{profile} {}

  ProfilePoint read(const SettingsTable& table) {
    ProfilePoint point;
    point.line = table.line();
    point.name = table.text("name", {.help = "from the closed list; [*] for the rows of a table"});
    check_name(table, point.name);
    point.is_optional = table.flag("optional", false, "not every device of this model has it");
    PointTraits traits;
    traits.deadband = table.number(
        "deadband", {.help = "a change below this is not worth a report", .fallback = 0.0, .least = 0.0});
    read_unit(table, point);
    traits.unit = point.source.conversion.unit;
    if (const auto label = table.optional_table("label")) traits.label = read_texts(*label);
    check_label(table, traits);
    if (const auto plausible = table.optional_table("plausible"))
      read_plausible(*plausible, point.source.conversion);
    if (const auto states = table.optional_table("states")) traits.states = read_states(*states);
    point.comes_and_goes =
        table.flag("rows_come_and_go", false, "rows that are gone for a day are forgotten");
    if (point.comes_and_goes && !point.is_table())
      table.complain("rows_come_and_go", "is for a point whose name holds [*]");
    grammar_.read_source(table, point);
    check_repetition(table, point);
    check_states(table, traits, point.source.conversion);
    traits.alarms = read_alarms(table, traits);
    if (grammar_.read_rest_of_point)
      grammar_.read_rest_of_point(table, profile_, point, traits, kind_);
    else if (table.has("writable") && table.flag("writable", false, ""))
      table.complain("writable",
                     kind_ && kind_->is_fire_protection()
                         ? never_released
                         : "points of this bus are only read; what can be set is set over Modbus or SNMP");
    traits.is_writable = point.is_writable;
    note_protection(point, traits);
    const int times = ++times_[point.name];
    point.key = times == 1 ? point.name : fmt::format("{}#{}", point.name, times);
    point.traits = std::make_shared<const PointTraits>(std::move(traits));
    table.finish();
    return point;
  }

  /// A device that watches fire or extinguishing gas is read only as a whole.
  void finish(Profile& profile, const std::vector<SettingsTable>& tables) {
    for (const std::string* text : {&profile.name, &profile.maker, &profile.model})
      if (protection_.empty()) protection_ = told_of_release(*text, SaidOf::what_is_read);
    profile.protection = protection_;
    if (protection_.empty()) return;
    for (std::size_t i = 0; i < tables.size(); ++i)
      if (profile.points[i].is_writable) tables[i].complain("writable", protection_);
  }

 private:
  void note_protection(const ProfilePoint& point, const PointTraits& traits) {
    if (!protection_.empty()) return;
    if (kind_ && kind_->is_fire_protection())
      protection_ = fmt::format("it has the point {}. {}", point.name, never_released);
    else if (traits.label)
      protection_ = told_of_release(traits.label->zh + " " + traits.label->en, SaidOf::what_is_read);
  }

  void check_name(const SettingsTable& table, const std::string& name) {
    kind_ = nullptr;
    if (name.empty()) return;
    const auto parsed = PointName::parse(representative(name));
    if (!parsed)
      table.problems().add(
          {table.file_name(), table.line_of("name"), table.field() + ".name", parsed.error().text});
    else
      kind_ = &parsed->kind();
  }

  static std::string representative(std::string name) {
    for (auto at = name.find("[*]"); at != std::string::npos; at = name.find("[*]")) name[at + 1] = '1';
    return name;
  }

  /// These kinds say nothing of what is measured.
  void check_label(const SettingsTable& table, const PointTraits& traits) const {
    static constexpr std::array<std::string_view, 4> generic{"sensor[]", "alarm[]", "status[]", "info[]"};
    const auto is_generic = [&](std::string_view family) { return kind_ && kind_->name.starts_with(family); };
    if (!traits.label && std::any_of(generic.begin(), generic.end(), is_generic))
      table.reject("label", "{ zh = …, en = … }: what this point is called");
  }

  void read_unit(const SettingsTable& table, ProfilePoint& point) const {
    const std::string written = table.text("unit", {.help = "the unit of this kind of point"});
    const auto unit = unit_named(written);
    if (!written.empty() && kind_ && (!unit || *unit != kind_->unit))
      table.reject("unit", fmt::format("\"{}\", the unit of {}", name_of(kind_->unit), kind_->name));
    point.source.conversion.unit = unit.value_or(Unit::none);
  }

  /// One kind of point may stand in several columns of tables, when nothing makes two of them the same
  /// instance.
  void check_repetition(const SettingsTable& table, const ProfilePoint& point) {
    auto& before = named_[point.name];
    const auto clashes = [&](const DriverPart& other) {
      return !grammar_.are_told_apart || !grammar_.are_told_apart(other, point.source.where);
    };
    if (std::ranges::any_of(before, clashes))
      table.reject("name", grammar_.told_apart_by.empty() ? "each point once"
                                                          : fmt::format("each point once, unless its columns "
                                                                        "differ in {}",
                                                                        grammar_.told_apart_by));
    before.push_back(point.source.where);
  }

  static void check_states(const SettingsTable& table, const PointTraits& traits,
                           const Conversion& conversion) {
    const bool is_state = traits.unit == Unit::state;
    if (is_state && traits.states.empty() && !table.has("states"))
      table.reject("states", "a table of code = { zh = …, en = … } for a point of unit \"state\"");
    if (!is_state && !traits.states.empty()) table.reject("states", "states only with unit \"state\"");
    if (is_state && (conversion.scale != 1.0 || conversion.offset != 0.0))
      table.reject("states", "no scale or offset beside states");
  }

  const ProfileGrammar& grammar_;
  const Profile& profile_;
  std::string protection_;
  std::map<std::string, int> times_;
  std::map<std::string, std::vector<DriverPart>> named_;
  const PointKind* kind_ = nullptr;  // of the point being read, if its name is known
};

ProfileSample read_sample(const SettingsTable& table, const ProfileGrammar& grammar) {
  ProfileSample sample;
  sample.line = table.line();
  sample.origin = table.text("origin", {.help = "where it was captured, or composed from what"});
  sample.answer = grammar.read_answer(table);
  const SettingsTable expect = table.table("expect");
  for (const std::string& key : expect.keys())
    if (const auto value = expect.scalar(key)) sample.expect.emplace(key, *value);
  expect.finish();
  table.finish();
  return sample;
}

Profile read_profile(const SettingsTable& table) {
  Profile profile;
  profile.name = std::filesystem::path{table.file_name()}.stem();
  table.integer("schema", {.help = "version of this format", .least = 1, .most = 1});
  profile.maker = table.text("maker", {.help = "who makes it"});
  profile.model = table.text("model", {.help = "model or family"});
  std::vector<std::pair<std::string_view, const DriverType*>> drivers;
  for (const DriverType* type : driver_types()) drivers.emplace_back(type->name, type);
  const DriverType& driver = *table.choice<const DriverType*>("bus", drivers, std::nullopt, "driver");
  profile.bus = driver.name;
  profile.source = table.text("source", {.help = "the document the table was taken from"});
  profile.confidence = table.choice<std::string_view>(
      "confidence", {{"measured", "measured"}, {"documented", "documented"}, {"reported", "reported"}},
      std::nullopt, "measured on a device, read in the maker's document, or reported by others");
  driver.profiles.read_traits(table.table(driver.name), profile);
  if (driver.profiles.read_more) driver.profiles.read_more(table, profile);
  PointsReader points{driver.profiles, profile};
  const std::vector<SettingsTable> tables = table.tables("point");
  for (const SettingsTable& point : tables) profile.points.push_back(points.read(point));
  points.finish(profile, tables);
  if (profile.points.empty() && !table.has("point")) table.reject("point", "at least one [[point]]");
  for (const SettingsTable& sample : table.tables("sample"))
    profile.samples.push_back(read_sample(sample, driver.profiles));
  table.finish();
  return profile;
}

std::optional<Profile> read(const std::optional<SettingsTable>& table, const Problems& problems,
                            std::size_t problems_before) {
  if (!table) return std::nullopt;
  Profile profile = read_profile(*table);
  if (problems.all().size() > problems_before) return std::nullopt;
  return profile;
}

}  // namespace

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

StateText read_texts(const SettingsTable& table) {
  StateText text;
  text.zh = table.text("zh", {.help = "Chinese text"});
  text.en = table.text("en", {.help = "English text"});
  table.finish();
  return text;
}

std::map<std::int64_t, double> read_codes(const SettingsTable& table) {
  std::map<std::int64_t, double> factors;
  const SettingsTable codes = table.table("codes");
  for (const std::string& key : codes.keys()) {
    const auto code = integer_of(key);
    const auto value = codes.scalar(key);
    const auto number = value ? number_of(*value) : std::nullopt;
    if (code && number)
      factors.emplace(*code, *number);
    else
      codes.reject(key, "code = factor, both numbers");
  }
  if (factors.empty()) table.reject("codes", "a table of code = factor");
  codes.finish();
  return factors;
}

void read_conversion(const SettingsTable& source, Conversion& conversion) {
  conversion.scale = source.number("scale", {.help = "value = raw * scale + offset", .fallback = 1.0});
  conversion.offset = source.number("offset", {.help = "see scale", .fallback = 0.0});
  if (conversion.scale == 0.0) source.reject("scale", "a number other than 0");
  for (const std::string& text : source.scalars("invalid", "raw values that mean: no value")) {
    if (const auto marker = integer_of(text))
      conversion.invalid.push_back(*marker);
    else
      source.reject("invalid", "integers");
  }
}

std::chrono::milliseconds read_reply_timeout(const SettingsTable& traits) {
  using namespace std::chrono_literals;
  return traits.duration(
      "reply_timeout_ms",
      {.help = "longest wait for a reply", .fallback = 1000ms, .least = 20ms, .most = 10s});
}

std::optional<Profile> Profile::load(const std::filesystem::path& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::load(file, problems), problems, before);
}

std::optional<Profile> Profile::parse(std::string_view text, const std::string& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::parse(text, file, problems), problems, before);
}

}  // namespace watchroom::agent
