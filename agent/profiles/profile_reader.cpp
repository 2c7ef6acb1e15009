// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Reads a profile's TOML. The format is described in README.md beside this file.
#include <algorithm>
#include <array>
#include <charconv>

#include "agent/profiles/source_readers.hpp"

namespace watchroom::agent {
namespace {

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::vector<std::uint8_t>> bytes_of(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    std::uint8_t byte = 0;
    const auto pair = text.substr(at, 2);
    if (pair.size() != 2 || std::from_chars(pair.data(), pair.data() + 2, byte, 16).ptr != pair.data() + 2)
      return std::nullopt;
    bytes.push_back(byte);
    at += 2;
  }
  return bytes;
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

StateText read_texts(const SettingsTable& table) {
  StateText text;
  text.zh = table.text("zh", {.help = "Chinese text"});
  text.en = table.text("en", {.help = "English text"});
  table.finish();
  return text;
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
  PointsReader(const Profile& profile) : bus_{profile.bus} {}

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
    if (bus_ == "modbus")
      read_register_source(table, point);
    else
      read_object_source(table, point);
    check_states(table, traits, point.source.conversion);
    const int times = ++times_[point.name];
    point.key = times == 1 ? point.name : fmt::format("{}#{}", point.name, times);
    point.traits = std::make_shared<const PointTraits>(std::move(traits));
    table.finish();
    return point;
  }

 private:
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

  void read_register_source(const SettingsTable& table, ProfilePoint& point) {
    const SettingsTable where = table.table("register");
    point.source.where = read_register(where);
    read_conversion(where, point.source.conversion);
    where.finish();
    check_repetition(table, point.name, ObjectSource{});
    if (point.source.conversion.unit == Unit::text) table.reject("unit", "a number or a state over Modbus");
    if (point.name.find("[*]") != std::string::npos)
      table.reject("name", "an instance; [*] is for tables over SNMP");
  }

  void read_object_source(const SettingsTable& table, ProfilePoint& point) {
    ObjectSource source = read_object(table);
    if (source.is_column != (point.name.find("[*]") != std::string::npos))
      table.reject("name", source.is_column ? "[*] where the row's index belongs" : "no [*] without table");
    check_repetition(table, point.name, source);
    point.source.where = std::move(source);
    read_conversion(table, point.source.conversion);
  }

  /// One kind of point may stand in several columns, when nothing makes two of them the same instance: rows
  /// of their own, or instances that are named in another way.
  void check_repetition(const SettingsTable& table, const std::string& name, const ObjectSource& source) {
    const Repetition now{source.is_column, !source.rows.empty(), source.instance_prefix,
                         source.index ? source.index->text() : ""};
    for (const Repetition& before : names_[name]) {
      const bool is_told_apart = before.is_column && now.is_column &&
                                 ((before.has_condition && now.has_condition) ||
                                  before.prefix != now.prefix || before.index != now.index);
      if (is_told_apart) continue;
      table.reject("name",
                   "each point once, unless its columns differ in `rows`, `instance_prefix` or `index`");
      break;
    }
    names_[name].push_back(now);
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

  std::string bus_;
  std::map<std::string, int> times_;
  struct Repetition {
    bool is_column = false;
    bool has_condition = false;
    std::string prefix;
    std::string index;
  };
  std::map<std::string, std::vector<Repetition>> names_;
  const PointKind* kind_ = nullptr;  // of the point being read, if its name is known
};

ProfileSample read_sample(const SettingsTable& table, const Profile& profile) {
  ProfileSample sample;
  sample.line = table.line();
  sample.origin = table.text("origin", {.help = "where it was captured, or composed from what"});
  if (profile.bus == "modbus") {
    const std::string reply = table.text("reply", {.help = "a whole RTU reply with its CRC, as hex"});
    if (auto bytes = bytes_of(reply))
      sample.reply = *std::move(bytes);
    else
      table.reject("reply", "bytes as hex, such as \"01 04 02 00 E7 F9 7A\"");
    if (const auto address = table.optional_integer(
            "address", {.help = "address of the first register", .most = last_register}))
      sample.address = static_cast<std::uint16_t>(*address);
  } else {
    const SettingsTable varbinds = table.table("varbinds");
    for (const std::string& key : varbinds.keys()) {
      const auto value = varbinds.scalar(key);
      if (!parse_oid(key)) varbinds.reject(key, "a numeric OID as the key");
      if (value) sample.varbinds.emplace(key, *value);
    }
    varbinds.finish();
  }
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
  profile.bus =
      table.choice<std::string_view>("bus", {{"modbus", "modbus"}, {"snmp", "snmp"}}, std::nullopt, "driver");
  profile.source = table.text("source", {.help = "the document the table was taken from"});
  profile.confidence = table.choice<std::string_view>(
      "confidence", {{"measured", "measured"}, {"documented", "documented"}, {"reported", "reported"}},
      std::nullopt, "measured on a device, read in the maker's document, or reported by others");
  if (profile.bus == "modbus") {
    if (const auto modbus = table.optional_table("modbus")) profile.modbus = read_modbus_traits(*modbus);
  } else if (const auto snmp = table.optional_table("snmp")) {
    profile.snmp = read_snmp_traits(*snmp);
  }
  if (profile.bus == "snmp")
    for (const SettingsTable& trap : table.tables("trap")) profile.traps.push_back(read_trap(trap));
  PointsReader points{profile};
  for (const SettingsTable& point : table.tables("point")) profile.points.push_back(points.read(point));
  if (profile.points.empty() && !table.has("point")) table.reject("point", "at least one [[point]]");
  for (const SettingsTable& sample : table.tables("sample"))
    profile.samples.push_back(read_sample(sample, profile));
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

std::optional<Profile> Profile::load(const std::filesystem::path& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::load(file, problems), problems, before);
}

std::optional<Profile> Profile::parse(std::string_view text, const std::string& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::parse(text, file, problems), problems, before);
}

}  // namespace watchroom::agent
