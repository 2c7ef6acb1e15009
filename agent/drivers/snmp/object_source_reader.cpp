// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What a profile says of an SNMP device.
#include <algorithm>
#include <charconv>
#include <limits>

#include "agent/drivers/snmp/object_source.hpp"
#include "agent/drivers/snmp/sample.hpp"

namespace watchroom::agent {
namespace {

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

std::optional<Oid> read_oid(const SettingsTable& table, std::string_view key, const std::string& text) {
  auto oid = parse_oid(text);
  if (!oid && !text.empty()) table.reject(key, "a numeric OID such as \"1.3.6.1.2.1.33.1.2.1.0\"");
  return oid;
}

/// "*.*.4", "1.**": see IndexShape.
std::optional<IndexShape> shape_of(std::string_view text) {
  IndexShape shape;
  while (!text.empty()) {
    const auto dot = std::min(text.find('.'), text.size());
    const auto part = text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
    if (part == "**") {
      shape.takes_rest = true;
      return text.empty() ? std::optional{shape} : std::nullopt;
    }
    std::uint32_t arc = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), arc);
    const bool is_number = error == std::errc{} && end == part.data() + part.size();
    if (!is_number && part != "*") return std::nullopt;
    shape.arcs.push_back(is_number ? std::optional{arc} : std::nullopt);
  }
  return shape.arcs.empty() ? std::nullopt : std::optional{shape};
}

RowCondition read_condition(const SettingsTable& table) {
  RowCondition condition;
  const std::string oid = table.text("oid", {.help = "another column of the same rows"});
  condition.column = read_oid(table, "oid", oid).value_or(Oid{});
  for (const std::string& text : table.scalars("values", "what it may hold, as numbers")) {
    if (const auto value = integer_of(text))
      condition.values.push_back(*value);
    else
      table.reject("values", "integers");
  }
  condition.texts = table.texts("texts", "what it may hold, as texts");
  if (condition.values.empty() && condition.texts.empty()) table.reject("values", "`values` or `texts`");
  table.finish();
  return condition;
}

/// code = factor, or code = { scale, offset }.
std::map<std::int64_t, UnitFactor> read_unit_codes(const SettingsTable& table) {
  std::map<std::int64_t, UnitFactor> factors;
  const SettingsTable codes = table.table("codes");
  for (const std::string& key : codes.keys()) {
    const auto code = integer_of(key);
    UnitFactor factor;
    if (codes.is_table(key)) {
      const SettingsTable both = codes.table(key);
      factor.scale = both.number("scale", {.help = "value = raw * scale + offset", .fallback = 1.0});
      factor.offset = both.number("offset", {.help = "see scale", .fallback = 0.0});
      both.finish();
    } else {
      factor.scale = codes.number(key, {.help = "factor"});
    }
    if (code)
      factors.emplace(*code, factor);
    else
      codes.reject(key, "an integer code = factor or { scale, offset }");
  }
  if (factors.empty()) table.reject("codes", "a table of code = factor");
  codes.finish();
  return factors;
}

/// At most one of `bit`, `mask` and `character`; `texts` say what a text stands for.
std::shared_ptr<const CodePart> read_part(const SettingsTable& table) {
  constexpr std::int64_t last_bit = 4095;
  CodePart part;
  int kinds = 0;
  const auto number = [&](std::string_view key, std::string_view help, std::int64_t least,
                          std::int64_t most) {
    auto value = table.optional_integer(key, {.help = help, .least = least, .most = most});
    if (value && ++kinds > 1) table.reject(key, "one of `bit`, `mask` and `character`");
    return value;
  };
  if (const auto bit = number("bit", "of an integer from the lowest, of BITS from the first", 0, last_bit))
    part.bit = static_cast<std::uint32_t>(*bit);
  if (const auto mask = number("mask", "these bits of an integer, shifted down to 0", 1, 0xffffffff))
    part.mask = static_cast<std::uint64_t>(*mask);
  if (const auto at = number("character", "of a text of flags, counted from 1", 1, last_bit))
    part.character = static_cast<std::uint32_t>(*at);
  if (const auto texts = table.optional_table("texts")) {
    for (const std::string& key : texts->keys())
      part.texts.emplace(key, texts->integer(key, {.help = "the code that the text stands for"}));
    texts->finish();
  }
  if (kinds == 0 && part.texts.empty()) return nullptr;
  return std::make_shared<const CodePart>(std::move(part));
}

FactorObject read_factor(const SettingsTable& table) {
  FactorObject factor;
  const std::string oid = table.text("oid", {.help = "object with the code"});
  factor.oid = read_oid(table, "oid", oid).value_or(Oid{});
  factor.factors = read_unit_codes(table);
  table.finish();
  return factor;
}

ProfileTrap read_trap(const SettingsTable& table) {
  ProfileTrap trap;
  const std::string oid =
      table.text("oid", {.help = "of the notification; of an SNMPv1 trap enterprise.0.number"});
  trap.oid = read_oid(table, "oid", oid).value_or(Oid{});
  trap.text = read_texts(table.table("text"));
  table.finish();
  return trap;
}

void read_traits(const SettingsTable& table, Profile& profile) {
  profile.reply_timeout = read_reply_timeout(table);
  SnmpTraits traits;
  traits.max_objects = static_cast<int>(
      table.integer("max_objects", {.help = "objects in one GET", .fallback = 20, .least = 1, .most = 100}));
  traits.max_repetitions = static_cast<int>(table.integer(
      "max_repetitions", {.help = "rows in one GETBULK", .fallback = 16, .least = 1, .most = 100}));
  traits.priority = static_cast<int>(table.integer(
      "priority", {.help = "the highest of those recognised wins", .fallback = 0, .least = 0, .most = 100}));
  traits.system_object_ids =
      read_oids(table, "system_object_ids", "prefixes of sysObjectID that mean this model");
  traits.recognised_by =
      read_oids(table, "recognised_by", "subtrees that only this kind of device has objects in");
  traits.description =
      table.text("description", {.help = "what sysDescr holds besides", .fallback = "", .longest = 100});
  table.finish();
  profile.traits = std::move(traits);
}

/// Every [[trap]].
void read_traps(const SettingsTable& profile_table, Profile& profile) {
  auto traits = profile.traits.as<SnmpTraits>();
  for (const SettingsTable& trap : profile_table.tables("trap")) traits.traps.push_back(read_trap(trap));
  profile.traits = std::move(traits);
}

DriverPart traits_of_both(const DriverPart& first, const DriverPart& more) {
  auto both = first.as<SnmpTraits>();
  const auto& traps = more.as<SnmpTraits>().traps;
  both.traps.insert(both.traps.end(), traps.begin(), traps.end());
  return both;
}

ObjectSource read_object(const SettingsTable& table) {
  ObjectSource source;
  const std::string oid = table.text("oid", {.help = "numeric; of the column if `table`"});
  source.oid = read_oid(table, "oid", oid).value_or(Oid{});
  source.is_column = table.flag("table", false, "every row of the column is a point");
  source.instance_prefix =
      table.text("instance_prefix", {.help = "put before the row's index", .fallback = "", .longest = 24});
  if (const auto shape = table.text("index", {.help = "only rows whose index looks so", .fallback = ""});
      !shape.empty()) {
    if (auto read = shape_of(shape))
      source.index = *std::move(read);
    else
      table.reject("index", "arcs such as \"*.*.4\" or \"2.**\"");
  }
  for (const SettingsTable& condition : table.tables("rows"))
    source.rows.push_back(read_condition(condition));
  if (const auto decimals =
          table.text("decimals", {.help = "object with the number of decimals", .fallback = ""});
      !decimals.empty())
    source.decimals = read_oid(table, "decimals", decimals);
  if (const auto factor = table.optional_table("factor")) source.factor = read_factor(*factor);
  source.part = read_part(table);
  source.label_columns =
      read_oids(table, "label_columns", "columns of the same rows with the device's own name of each");
  if (!source.is_column && !source.label_columns.empty())
    table.reject("label_columns", "no such key without `table = true`");
  if (!source.is_column && (source.index || !source.rows.empty()))
    table.reject(source.index ? "index" : "rows", "no such key without `table = true`");
  return source;
}

void read_source(const SettingsTable& table, ProfilePoint& point) {
  ObjectSource source = read_object(table);
  if (source.is_column != point.is_table())
    table.reject("name", source.is_column ? "[*] where the row's index belongs" : "no [*] without table");
  point.source.where = std::move(source);
  read_conversion(table, point.source.conversion);
}

void read_contents(const SettingsTable& how, const PointTraits& traits, ObjectWrite& write) {
  for (const auto& [key, state] : {std::pair<std::string_view, std::int64_t>{"on", 1}, {"off", 0}}) {
    const auto content = how.optional_integer(
        key, {.help = "what is written for state 1 or 0, or for the states named on and off",
              .least = std::numeric_limits<std::int32_t>::min(),
              .most = std::numeric_limits<std::uint32_t>::max()});
    if (!content) continue;
    const auto named = std::find_if(traits.states.begin(), traits.states.end(),
                                    [&, word = key](const auto& one) { return one.second.en == word; });
    if (named == traits.states.end() && !traits.states.contains(state))
      how.reject(key, "no such key unless the point has such a state");
    write.contents[named != traits.states.end() ? named->first : state] = *content;
  }
}

/// `writable` and `write`.
void read_write(const SettingsTable& table, const Profile&, ProfilePoint& point, const PointTraits& traits,
                const PointKind* kind) {
  const bool is_writable = read_writable(table, point, traits, kind);
  const auto how = table.optional_table("write");
  if (how && !table.flag("writable", false, ""))
    table.reject("write", "no such key without `writable = true`");
  if (!is_writable) return;
  ObjectSource source = point.source.where.as<ObjectSource>();
  if (source.part || source.factor || source.decimals) {
    table.complain("writable",
                   "an object is written whole: no `bit`, `mask`, `character`, `texts`, `factor`, "
                   "`decimals` beside it");
    return;
  }
  ObjectWrite write;
  write.oid = source.oid;
  for (const auto& [code, text] : traits.states) write.contents[code] = code;
  if (how) {
    const std::string oid = how->text(
        "oid", {.help = "the object that is written, where it is not the one that is read", .fallback = ""});
    if (!oid.empty()) {
      write.oid = read_oid(*how, "oid", oid).value_or(Oid{});
      write.contents.clear();
    }
    write.is_unsigned = how->choice<bool>("type", {{"integer", false}, {"gauge", true}}, false,
                                          "its ASN.1 type: INTEGER, or Gauge32 (Unsigned32)");
    read_contents(*how, traits, write);
    how->finish();
    if (traits.unit == Unit::state && write.contents.empty())
      how->reject("on", "what is written for `on` and `off`, because another object is written than is read");
  }
  source.write = std::make_shared<const ObjectWrite>(std::move(write));
  point.source.where = std::move(source);
  point.is_writable = true;
}

/// Rows of their own, or instances that are named in another way.
bool are_told_apart(const DriverPart& first, const DriverPart& second) {
  const auto &a = first.as<ObjectSource>(), &b = second.as<ObjectSource>();
  const auto shape = [](const ObjectSource& source) { return source.index ? source.index->text() : ""; };
  return a.is_column && b.is_column &&
         ((!a.rows.empty() && !b.rows.empty()) || a.instance_prefix != b.instance_prefix ||
          shape(a) != shape(b));
}

std::string source_text(const DriverPart& where) { return oid_text(where.as<ObjectSource>().oid); }

TableRow row_of(const DriverPart& column, const RowIndex& index) {
  const auto& source = column.as<ObjectSource>();
  return {source.instance_of(index), source.row(index)};
}

}  // namespace

const ProfileGrammar snmp_profiles{.read_traits = read_traits,
                                   .read_source = read_source,
                                   .read_answer = read_snmp_sample,
                                   .play = play_snmp_sample,
                                   .source_text = source_text,
                                   .read_more = read_traps,
                                   .traits_of_both = traits_of_both,
                                   .read_rest_of_point = read_write,
                                   .row = row_of,
                                   .are_told_apart = are_told_apart,
                                   .told_apart_by = "`rows`, `instance_prefix` or `index`"};

}  // namespace watchroom::agent
