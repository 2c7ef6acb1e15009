// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Reads a profile's TOML. The format is described in README.md beside this file.
#include <algorithm>
#include <charconv>
#include <set>

#include "agent/profiles/profile.hpp"

namespace watchroom::agent {
namespace {

template <typename T>
using Names = std::vector<std::pair<std::string_view, T>>;

const Names<RegisterTable> table_names{{"holding", RegisterTable::holding},
                                       {"input", RegisterTable::input},
                                       {"discrete", RegisterTable::discrete},
                                       {"coil", RegisterTable::coil}};
const Names<RegisterType> type_names{
    {"bit", RegisterType::bit}, {"u16", RegisterType::u16}, {"i16", RegisterType::i16},
    {"u32", RegisterType::u32}, {"i32", RegisterType::i32}, {"u64", RegisterType::u64},
    {"i64", RegisterType::i64}, {"f32", RegisterType::f32}, {"f64", RegisterType::f64}};
const Names<ByteOrder> order_names{{"abcd", ByteOrder::abcd},   {"cdab", ByteOrder::cdab},
                                   {"badc", ByteOrder::badc},   {"dcba", ByteOrder::dcba},
                                   {"big", ByteOrder::abcd},    {"big_words_swapped", ByteOrder::cdab},
                                   {"little", ByteOrder::dcba}, {"little_words_swapped", ByteOrder::badc}};

constexpr std::int64_t last_address = 65535;

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

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

std::vector<Oid> read_oids(const SettingsTable& table, std::string_view key, std::string_view help) {
  std::vector<Oid> all;
  for (const std::string& text : table.texts(key, help)) {
    if (auto oid = parse_oid(text))
      all.push_back(*std::move(oid));
    else
      table.reject(key, "numeric OIDs such as \"1.3.6.1.2.1.33\"");
  }
  return all;
}

ModbusLimits read_modbus_limits(const SettingsTable& table) {
  using namespace std::chrono_literals;
  ModbusLimits limits;
  limits.gap =
      table.duration("gap_ms", {.help = "pause between two requests to it", .fallback = 0ms, .most = 10s});
  limits.reply_timeout =
      table.duration("reply_timeout_ms",
                     {.help = "longest wait for a reply", .fallback = 1000ms, .least = 20ms, .most = 10s});
  const auto number = [&](std::string_view key, std::string_view help, int fallback, int least, int most) {
    return static_cast<int>(
        table.integer(key, {.help = help, .fallback = fallback, .least = least, .most = most}));
  };
  // The most are those of the Modbus Application Protocol V1.1b3, 6.1 and 6.3.
  limits.max_registers = number("max_registers", "registers in one request", 125, 1, 125);
  limits.max_bits = number("max_bits", "bits in one request", 2000, 1, 2000);
  limits.largest_hole = number("largest_hole", "unused registers read to save a request", 16, 0, 124);
  table.finish();
  return limits;
}

SnmpTraits read_snmp_traits(const SettingsTable& table) {
  using namespace std::chrono_literals;
  SnmpTraits traits;
  traits.reply_timeout =
      table.duration("reply_timeout_ms",
                     {.help = "longest wait for a reply", .fallback = 1000ms, .least = 20ms, .most = 10s});
  traits.max_objects = static_cast<int>(
      table.integer("max_objects", {.help = "objects in one GET", .fallback = 20, .least = 1, .most = 100}));
  traits.max_repetitions = static_cast<int>(table.integer(
      "max_repetitions", {.help = "rows in one GETBULK", .fallback = 16, .least = 1, .most = 100}));
  traits.priority = static_cast<int>(table.integer(
      "priority", {.help = "the highest of those recognised wins", .fallback = 0, .least = 0, .most = 100}));
  traits.system_object_ids =
      read_oids(table, "system_object_ids", "prefixes of sysObjectID that mean this model");
  traits.recognised_by = read_oids(table, "recognised_by", "instances only this kind of device has");
  table.finish();
  return traits;
}

FactorRegister read_factor(const SettingsTable& table) {
  FactorRegister factor;
  factor.address = static_cast<std::uint16_t>(
      table.integer("address", {.help = "register with the code", .most = last_address}));
  const SettingsTable codes = table.table("codes");
  for (const std::string& key : codes.keys()) {
    const auto code = integer_of(key);
    const auto value = codes.scalar(key);
    const auto number = value ? number_of(*value) : std::nullopt;
    if (code && number)
      factor.factors.emplace(*code, *number);
    else
      codes.reject(key, "code = factor, both numbers");
  }
  if (factor.factors.empty()) table.reject("codes", "a table of code = factor");
  codes.finish();
  table.finish();
  return factor;
}

void read_mask(const SettingsTable& table, RegisterSource& source) {
  const int bits = 16 * width_of(source.type);
  if (const auto bit =
          table.optional_integer("bit", {.help = "one bit of the word, 0 is the lowest", .most = bits - 1}))
    source.mask = std::uint64_t{1} << *bit;
  if (const auto mask =
          table.optional_integer("mask", {.help = "some bits of the word",
                                          .least = 1,
                                          .most = (std::int64_t{1} << std::min(bits, 62)) - 1})) {
    if (source.mask) table.reject("mask", "either `bit` or `mask`");
    source.mask = static_cast<std::uint64_t>(*mask);
  }
  const bool is_integer = source.type != RegisterType::bit && source.type != RegisterType::f32 &&
                          source.type != RegisterType::f64;
  if (source.mask && !is_integer)
    table.reject(table.has("bit") ? "bit" : "mask", "no such key unless the type is an integer");
}

RegisterSource read_register(const SettingsTable& table) {
  RegisterSource source;
  source.table = table.choice<RegisterTable>("table", table_names, std::nullopt, "where it stands");
  const bool is_bits = source.table == RegisterTable::coil || source.table == RegisterTable::discrete;
  source.type = table.choice<RegisterType>(
      "type", type_names, is_bits ? std::optional{RegisterType::bit} : std::nullopt, "how it is coded");
  source.order = table.choice<ByteOrder>("order", order_names, ByteOrder::abcd, "how its bytes arrive");
  if (is_bits != (source.type == RegisterType::bit))
    table.reject("type", is_bits ? "\"bit\" in the tables coil and discrete"
                                 : "a number type in the tables input and holding; use `bit` for one bit");
  source.address = static_cast<std::uint16_t>(table.integer(
      "address", {.help = "address on the wire, from 0", .most = last_address + 1 - width_of(source.type)}));
  read_mask(table, source);
  if (const auto address = table.optional_integer(
          "decimals", {.help = "register with the number of decimals", .most = last_address}))
    source.decimals_register = static_cast<std::uint16_t>(*address);
  if (const auto factor = table.optional_table("factor")) source.factor_register = read_factor(*factor);
  return source;
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

std::map<std::int64_t, StateText> read_states(const SettingsTable& table) {
  std::map<std::int64_t, StateText> states;
  for (const std::string& key : table.keys()) {
    const SettingsTable state = table.table(key);
    StateText text;
    text.zh = state.text("zh", {.help = "Chinese text"});
    text.en = state.text("en", {.help = "English text"});
    state.finish();
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
    point.deadband = table.number(
        "deadband", {.help = "a change below this is not worth a report", .fallback = 0.0, .least = 0.0});
    read_unit(table, point);
    if (const auto plausible = table.optional_table("plausible"))
      read_plausible(*plausible, point.source.conversion);
    if (const auto states = table.optional_table("states")) point.states = read_states(*states);
    if (bus_ == "modbus")
      read_register_source(table, point);
    else
      read_object_source(table, point);
    check_states(table, point);
    table.finish();
    return point;
  }

 private:
  void check_name(const SettingsTable& table, const std::string& name) {
    kind_ = nullptr;
    if (name.empty()) return;
    if (!names_.insert(name).second) table.reject("name", "each point once");
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

  void read_unit(const SettingsTable& table, ProfilePoint& point) const {
    const std::string written = table.text("unit", {.help = "the unit of this kind of point"});
    const auto unit = unit_named(written);
    if (!written.empty() && kind_ && (!unit || *unit != kind_->unit))
      table.reject("unit", fmt::format("\"{}\", the unit of {}", name_of(kind_->unit), kind_->name));
    point.source.conversion.unit = unit.value_or(Unit::none);
  }

  void read_register_source(const SettingsTable& table, ProfilePoint& point) const {
    const SettingsTable where = table.table("register");
    point.source.where = read_register(where);
    read_conversion(where, point.source.conversion);
    where.finish();
    if (point.source.conversion.unit == Unit::text) table.reject("unit", "a number or a state over Modbus");
    if (point.name.find("[*]") != std::string::npos)
      table.reject("name", "an instance; [*] is for tables over SNMP");
  }

  void read_object_source(const SettingsTable& table, ProfilePoint& point) const {
    ObjectSource source;
    const std::string text = table.text("oid", {.help = "numeric; of the column if `table`"});
    if (auto oid = parse_oid(text))
      source.oid = *std::move(oid);
    else if (!text.empty())
      table.reject("oid", "a numeric OID such as \"1.3.6.1.2.1.33.1.2.1.0\"");
    source.is_column = table.flag("table", false, "every row of the column is a point");
    source.instance_prefix =
        table.text("instance_prefix", {.help = "put before the row's index", .fallback = "", .longest = 8});
    if (source.is_column != (point.name.find("[*]") != std::string::npos))
      table.reject("name", source.is_column ? "[*] where the row's index belongs" : "no [*] without table");
    point.source.where = std::move(source);
    read_conversion(table, point.source.conversion);
  }

  static void check_states(const SettingsTable& table, const ProfilePoint& point) {
    const bool is_state = point.source.conversion.unit == Unit::state;
    if (is_state && point.states.empty() && !table.has("states"))
      table.reject("states", "a table of code = { zh = …, en = … } for a point of unit \"state\"");
    if (!is_state && !point.states.empty()) table.reject("states", "states only with unit \"state\"");
    if (is_state && (point.source.conversion.scale != 1.0 || point.source.conversion.offset != 0.0))
      table.reject("states", "no scale or offset beside states");
  }

  std::string bus_;
  std::set<std::string> names_;
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
            "address", {.help = "address of the first register", .most = last_address}))
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
    if (const auto modbus = table.optional_table("modbus")) profile.modbus = read_modbus_limits(*modbus);
  } else if (const auto snmp = table.optional_table("snmp")) {
    profile.snmp = read_snmp_traits(*snmp);
  }
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

std::optional<Profile> Profile::load(const std::filesystem::path& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::load(file, problems), problems, before);
}

std::optional<Profile> Profile::parse(std::string_view text, const std::string& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::parse(text, file, problems), problems, before);
}

}  // namespace watchroom::agent
