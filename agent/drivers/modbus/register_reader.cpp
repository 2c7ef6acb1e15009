// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What a profile says of a Modbus device.
#include <array>
#include <limits>

#include "agent/drivers/modbus/register_source.hpp"
#include "agent/drivers/modbus/sample.hpp"

namespace watchroom::agent {
namespace {

/// The last address or register there can be.
constexpr std::int64_t last_register = 65535;

template <typename T>
using Names = std::vector<std::pair<std::string_view, T>>;

const Names<RegisterTable> table_names{{"holding", RegisterTable::holding},
                                       {"input", RegisterTable::input},
                                       {"discrete", RegisterTable::discrete},
                                       {"coil", RegisterTable::coil}};
const Names<RegisterType> type_names{
    {"bit", RegisterType::bit},     {"u16", RegisterType::u16},     {"i16", RegisterType::i16},
    {"u32", RegisterType::u32},     {"i32", RegisterType::i32},     {"u64", RegisterType::u64},
    {"i64", RegisterType::i64},     {"f32", RegisterType::f32},     {"f64", RegisterType::f64},
    {"bcd16", RegisterType::bcd16}, {"bcd32", RegisterType::bcd32}, {"text", RegisterType::text}};
const Names<ByteOrder> order_names{{"abcd", ByteOrder::abcd},   {"cdab", ByteOrder::cdab},
                                   {"badc", ByteOrder::badc},   {"dcba", ByteOrder::dcba},
                                   {"big", ByteOrder::abcd},    {"big_words_swapped", ByteOrder::cdab},
                                   {"little", ByteOrder::dcba}, {"little_words_swapped", ByteOrder::badc}};

FactorRegister read_factor(const SettingsTable& table) {
  FactorRegister factor;
  factor.address = static_cast<std::uint16_t>(
      table.integer("address", {.help = "register with the code", .most = last_register}));
  factor.factors = read_codes(table);
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
                          source.type != RegisterType::f64 && source.type != RegisterType::bcd16 &&
                          source.type != RegisterType::bcd32 && source.type != RegisterType::text;
  if (source.mask && !is_integer)
    table.reject(table.has("bit") ? "bit" : "mask", "no such key unless the type is an integer");
}

void read_length(const SettingsTable& table, RegisterSource& source) {
  if (source.type != RegisterType::text) return;  // then `length` is an unknown key
  source.text_length = static_cast<std::uint16_t>(
      table.integer("length", {.help = "registers of the text, two letters each", .least = 1, .most = 125}));
}

RegisterSource read_register(const SettingsTable& table, const ModbusTraits& traits) {
  RegisterSource source;
  source.table = table.choice<RegisterTable>("table", table_names, std::nullopt, "where it stands");
  const bool is_bits = source.table == RegisterTable::coil || source.table == RegisterTable::discrete;
  source.type = table.choice<RegisterType>(
      "type", type_names, is_bits ? std::optional{RegisterType::bit} : std::nullopt, "how it is coded");
  source.order = table.choice<ByteOrder>("order", order_names, ByteOrder::abcd, "how its bytes arrive");
  if (is_bits != (source.type == RegisterType::bit))
    table.reject("type", is_bits ? "\"bit\" in the tables coil and discrete"
                                 : "a number type in the tables input and holding; use `bit` for one bit");
  read_length(table, source);
  source.address = static_cast<std::uint16_t>(table.integer(
      "address", {.help = "address on the wire, from 0", .most = last_register + 1 - source.width()}));
  read_mask(table, source);
  if (const auto address = table.optional_integer(
          "decimals", {.help = "register with the number of decimals", .most = last_register}))
    source.decimals_register = static_cast<std::uint16_t>(*address);
  if (const auto factor = table.optional_table("factor")) source.factor_register = read_factor(*factor);
  if (source.width() > traits.max_registers)
    table.reject("type", fmt::format("what fits into the {} registers of one request", traits.max_registers));
  return source;
}

RegisterProbe read_probe(const SettingsTable& table, const ModbusTraits& traits) {
  RegisterProbe probe;
  for (const std::string& text : table.scalars("values", "what the register may hold")) {
    if (const auto value = integer_of(text))
      probe.values.push_back(*value);
    else
      table.reject("values", "integers");
  }
  probe.least = table.optional_number("min", {.help = "lowest content"});
  probe.most = table.optional_number("max", {.help = "highest content"});
  if (probe.values.empty() == (!probe.least && !probe.most))
    table.reject("values", "`values`, or `min` and `max`");
  probe.source = read_register(table, traits);
  if (probe.source.type == RegisterType::text)
    table.reject("type", "a number type; texts are compared with function 43's, by `identity`");
  table.finish();
  return probe;
}

void read_traits(const SettingsTable& table, Profile& profile) {
  using namespace std::chrono_literals;
  profile.gap =
      table.duration("gap_ms", {.help = "pause between two requests to it", .fallback = 0ms, .most = 10s});
  profile.reply_timeout = read_reply_timeout(table);
  ModbusTraits limits;
  const auto number = [&](std::string_view key, std::string_view help, int fallback, int least, int most) {
    return static_cast<int>(
        table.integer(key, {.help = help, .fallback = fallback, .least = least, .most = most}));
  };
  // The most are those of the Modbus Application Protocol V1.1b3, 6.1 and 6.3.
  limits.max_registers = number("max_registers", "registers in one request", 125, 1, 125);
  limits.max_bits = number("max_bits", "bits in one request", 2000, 1, 2000);
  limits.largest_hole = number("largest_hole", "unused registers read to save a request", 16, 0, 124);
  limits.identity = table.texts("identity", "texts, one of which its identification (function 43) holds");
  for (const SettingsTable& probe : table.tables("probe")) limits.probes.push_back(read_probe(probe, limits));
  table.finish();
  profile.traits = std::move(limits);
}

/// Whole numbers that a register of this type can hold.
std::pair<std::int64_t, std::int64_t> range_of(RegisterType type) {
  const int bits = 16 * width_of(type);
  switch (type) {
    case RegisterType::bit: return {0, 1};
    case RegisterType::u16:
    case RegisterType::u32: return {0, (std::int64_t{1} << bits) - 1};
    case RegisterType::i16:
    case RegisterType::i32: return {-(std::int64_t{1} << (bits - 1)), (std::int64_t{1} << (bits - 1)) - 1};
    default: return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  }
}

/// Markers are those of the whole word, also where a point is a part of it.
void check_markers(const SettingsTable& where, const RegisterSource& source, const Conversion& conversion) {
  const auto [least, most] = range_of(source.type);
  for (const std::int64_t marker : conversion.invalid)
    if (marker < least || marker > most)
      where.reject("invalid", fmt::format("what the whole register can hold, {} to {}", least, most));
}

void read_source(const SettingsTable& table, ProfilePoint& point) {
  const SettingsTable where = table.table("register");
  RegisterSource source = read_register(where, {});
  read_conversion(where, point.source.conversion);
  check_markers(where, source, point.source.conversion);
  where.finish();
  if ((point.source.conversion.unit == Unit::text) != (source.type == RegisterType::text))
    table.reject("unit", "\"text\" for what is of type text, and for that only");
  point.source.where = std::move(source);
  if (point.is_table()) table.reject("name", "an instance; [*] is for tables over SNMP");
}

/// What depends on the device's limits, and whether the point may be written.
void read_rest(const SettingsTable& table, const Profile& profile, ProfilePoint& point,
               const PointTraits& traits, const PointKind* kind) {
  RegisterSource source = point.source.where.as<RegisterSource>();
  const int most = profile.traits.as<ModbusTraits>().max_registers;
  if (source.width() > most)
    table.reject("register", fmt::format("what fits into the {} registers of one request", most));
  source.write = read_write(table, point, traits, kind);
  point.is_writable = source.write.has_value();
  point.source.where = std::move(source);
}

std::string source_text(const DriverPart& where) {
  const auto& source = where.as<RegisterSource>();
  static constexpr std::array<std::string_view, 4> tables{"coil", "discrete", "input", "holding"};
  std::string text = fmt::format("{} {}", tables[static_cast<std::size_t>(source.table)], source.address);
  if (source.mask) text += fmt::format(" mask {:#x}", *source.mask);
  return text;
}

}  // namespace

int width_of(RegisterType type) {
  switch (type) {
    case RegisterType::text:
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

std::uint16_t RegisterSource::width() const {
  return type == RegisterType::text ? text_length : static_cast<std::uint16_t>(width_of(type));
}

const ProfileGrammar modbus_profiles{.read_traits = read_traits,
                                     .read_source = read_source,
                                     .read_answer = read_modbus_sample,
                                     .play = play_modbus_sample,
                                     .source_text = source_text,
                                     .read_rest_of_point = read_rest};

}  // namespace watchroom::agent
