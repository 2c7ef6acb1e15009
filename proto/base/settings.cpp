// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/settings.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "proto/base/toml.hpp"

namespace watchroom {
namespace {

/// Edit distance, to say "did you mean". Short words only.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string_view name_of_type(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a number";
    case toml::node_type::boolean: return "true or false";
    default: return "a date or time";
  }
}

std::optional<std::string> as_written(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

std::string found(const toml::node& node) {
  if (node.is_string()) return fmt::format("\"{}\"", node.as_string()->get());
  if (auto text = as_written(node)) return *text;
  return std::string{name_of_type(node)};
}

std::optional<std::chrono::milliseconds> unit_of_key(std::string_view key) {
  using namespace std::chrono;
  if (key.ends_with("_ms")) return 1ms;
  if (key.ends_with("_s")) return 1s;
  if (key.ends_with("_min")) return 1min;
  if (key.ends_with("_h") || key.ends_with("_hours")) return 1h;
  if (key.ends_with("_days")) return 24h;
  return std::nullopt;
}

}  // namespace

std::string Problem::str() const {
  std::string out = file;
  if (line > 0) out += fmt::format(":{}", line);
  if (!field.empty()) out += fmt::format(": {}", field);
  return out + ": " + text;
}

std::string Problems::str() const {
  std::vector<Problem> sorted = all_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
  std::string out;
  for (const Problem& problem : sorted) out += problem.str() + "\n";
  return out;
}

struct SettingsTable::Node {
  std::shared_ptr<const toml::table> document;  // keeps `table` alive
  const toml::table* table = nullptr;           // null: the table is missing
  std::string file;
  std::string field;
  int missing_line = 0;
  Problems* problems = nullptr;
  std::vector<KeyDescription>* descriptions = nullptr;
  std::set<std::string, std::less<>> asked;
  bool is_confined = false;  // to files beneath its folder

  std::string field_of(std::string_view key) const {
    return field.empty() ? std::string{key} : fmt::format("{}.{}", field, key);
  }
  int line() const { return table ? static_cast<int>(table->source().begin.line) : missing_line; }
  const toml::node* get(std::string_view key) {
    asked.emplace(key);
    return table ? table->get(key) : nullptr;
  }
  void problem(std::string_view key, int at, std::string text) const {
    problems->add({file, at, field_of(key), std::move(text)});
  }
  void describe(std::string_view key, std::string type, std::string fallback, std::string_view help) const {
    if (descriptions)
      descriptions->push_back({field_of(key), std::move(type), std::move(fallback), std::string{help}});
  }
  void missing(std::string_view key, std::string_view type) const {
    if (!descriptions) problem(key, line(), fmt::format("is missing, expected {}", type));
  }
  void wrong(std::string_view key, const toml::node& node, std::string_view expected) const {
    problem(key, static_cast<int>(node.source().begin.line),
            fmt::format("{} is not valid, expected {}", found(node), expected));
  }
  std::shared_ptr<Node> child(const toml::table* inner, std::string inner_field) const {
    auto node = std::make_shared<Node>();
    node->document = document;
    node->table = inner;
    node->file = file;
    node->field = std::move(inner_field);
    node->missing_line = line();
    node->problems = problems;
    node->descriptions = descriptions;
    node->is_confined = is_confined;
    return node;
  }
};

std::optional<SettingsTable> SettingsTable::parse(std::string_view text, const std::string& file,
                                                  Problems& problems) {
  try {
    auto document = std::make_shared<const toml::table>(toml::parse(text, file));
    auto node = std::make_shared<Node>();
    node->table = document.get();
    node->document = std::move(document);
    node->file = file;
    node->problems = &problems;
    return SettingsTable{std::move(node)};
  } catch (const toml::parse_error& error) {
    problems.add({file, static_cast<int>(error.source().begin.line), "", std::string{error.description()}});
    return std::nullopt;
  }
}

std::optional<SettingsTable> SettingsTable::load(const std::filesystem::path& file, Problems& problems) {
  std::ifstream in{file};
  std::error_code ignored;
  if (!in || std::filesystem::is_directory(file, ignored)) {
    problems.add({file.string(), 0, "", "cannot be read, expected a TOML file"});
    return std::nullopt;
  }
  std::ostringstream text;
  text << in.rdbuf();
  return parse(text.str(), file.string(), problems);
}

SettingsTable SettingsTable::describing(std::vector<KeyDescription>& descriptions, Problems& problems) {
  auto node = std::make_shared<Node>();
  node->problems = &problems;
  node->descriptions = &descriptions;
  return SettingsTable{std::move(node)};
}

void SettingsTable::confine() { node_->is_confined = true; }
bool SettingsTable::is_confined() const { return node_->is_confined; }

bool SettingsTable::has(std::string_view key) const { return node_->get(key) != nullptr; }

std::string SettingsTable::text(std::string_view key, const TextKey& about) const {
  node_->describe(key, "text", about.fallback ? fmt::format("\"{}\"", *about.fallback) : "", about.help);
  const toml::node* value = node_->get(key);
  if (!value) {
    if (!about.fallback) node_->missing(key, "a text");
    return about.fallback.value_or("");
  }
  const auto* text = value->as_string();
  if (!text || text->get().size() > about.longest || (!about.fallback && text->get().empty())) {
    node_->wrong(key, *value, fmt::format("a text of 1 to {} bytes", about.longest));
    return about.fallback.value_or("");
  }
  return text->get();
}

void SettingsTable::describe_optional(std::string_view key, std::string_view type,
                                      std::string_view help) const {
  node_->describe(key, std::string{type}, "not set", help);
}

std::optional<std::string> SettingsTable::optional_text(std::string_view key, std::string_view help) const {
  if (!has(key)) {
    node_->describe(key, "text", "not set", help);
    return std::nullopt;
  }
  return text(key, {.help = help, .fallback = ""});
}

std::int64_t SettingsTable::integer(std::string_view key, const IntegerKey& about) const {
  const auto type = about.most == std::numeric_limits<std::int64_t>::max()
                        ? fmt::format("an integer from {}", about.least)
                        : fmt::format("an integer from {} to {}", about.least, about.most);
  node_->describe(key, type, about.fallback ? fmt::format("{}", *about.fallback) : "", about.help);
  const std::int64_t harmless = about.fallback.value_or(about.least);
  const toml::node* value = node_->get(key);
  if (!value) {
    if (!about.fallback) node_->missing(key, type);
    return harmless;
  }
  const auto* integer = value->as_integer();
  if (!integer || integer->get() < about.least || integer->get() > about.most) {
    node_->wrong(key, *value, type);
    return harmless;
  }
  return integer->get();
}

std::optional<std::int64_t> SettingsTable::optional_integer(std::string_view key,
                                                            const IntegerKey& about) const {
  if (!has(key)) {
    node_->describe(key, fmt::format("an integer from {} to {}", about.least, about.most), "not set",
                    about.help);
    return std::nullopt;
  }
  return integer(key, about);
}

double SettingsTable::number(std::string_view key, const NumberKey& about) const {
  const bool bounded = about.least != std::numeric_limits<double>::lowest();
  const auto type = bounded ? fmt::format("a number from {} to {}", about.least, about.most) : "a number";
  node_->describe(key, type, about.fallback ? fmt::format("{}", *about.fallback) : "", about.help);
  const double harmless = about.fallback.value_or(bounded ? about.least : 0.0);
  const toml::node* value = node_->get(key);
  if (!value) {
    if (!about.fallback) node_->missing(key, type);
    return harmless;
  }
  const auto number = value->value<double>();
  // A negated test, so that NaN is refused too.
  if (!value->is_number() || !number || !(*number >= about.least && *number <= about.most)) {
    node_->wrong(key, *value, type);
    return harmless;
  }
  return *number;
}

std::optional<double> SettingsTable::optional_number(std::string_view key, const NumberKey& about) const {
  if (!has(key)) {
    node_->describe(key, "a number", "not set", about.help);
    return std::nullopt;
  }
  return number(key, about);
}

bool SettingsTable::flag(std::string_view key, bool fallback, std::string_view help) const {
  node_->describe(key, "true or false", fallback ? "true" : "false", help);
  const toml::node* value = node_->get(key);
  if (!value) return fallback;
  if (const auto* flag = value->as_boolean()) return flag->get();
  node_->wrong(key, *value, "true or false");
  return fallback;
}

std::chrono::milliseconds SettingsTable::duration(std::string_view key, const DurationKey& about) const {
  const auto unit = unit_of_key(key);
  if (!unit) std::abort();  // a key without a unit is a programmer's error
  IntegerKey integer_key{
      .help = about.help, .fallback = {}, .least = about.least / *unit, .most = about.most / *unit};
  if (about.fallback) integer_key.fallback = *about.fallback / *unit;
  return *unit * integer(key, integer_key);
}

std::optional<std::chrono::milliseconds> SettingsTable::optional_duration(std::string_view key,
                                                                          const DurationKey& about) const {
  if (!has(key)) {
    node_->describe(key, "an integer", "not set", about.help);
    return std::nullopt;
  }
  return duration(key, about);
}

std::vector<std::string> SettingsTable::texts(std::string_view key, std::string_view help,
                                              const std::vector<std::string>& fallback) const {
  std::string shown;
  for (const std::string& text : fallback) shown += fmt::format("{}\"{}\"", shown.empty() ? "" : ", ", text);
  node_->describe(key, "a list of texts", "[" + shown + "]", help);
  std::vector<std::string> all;
  const toml::node* value = node_->get(key);
  if (!value) return fallback;
  const auto* array = value->as_array();
  if (!array) {
    node_->wrong(key, *value, "a list of texts");
    return all;
  }
  for (const toml::node& element : *array) {
    if (const auto* text = element.as_string())
      all.push_back(text->get());
    else
      node_->wrong(key, element, "a text");
  }
  return all;
}

std::size_t SettingsTable::choice_index(std::string_view key, const std::vector<std::string_view>& names,
                                        std::optional<std::size_t> fallback, std::string_view help) const {
  std::string type = "one of";
  for (const auto name : names) type += fmt::format(" \"{}\"", name);
  node_->describe(key, type, fallback ? fmt::format("\"{}\"", names[*fallback]) : "", help);
  const toml::node* value = node_->get(key);
  if (!value) {
    if (!fallback) node_->missing(key, type);
    return fallback.value_or(0);
  }
  if (const auto* text = value->as_string()) {
    const auto at = std::find(names.begin(), names.end(), text->get());
    if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  }
  node_->wrong(key, *value, type);
  return fallback.value_or(0);
}

bool SettingsTable::is_table(std::string_view key) const {
  const toml::node* value = node_->get(key);
  return value && value->is_table();
}

std::optional<SettingsTable> SettingsTable::optional_table(std::string_view key) const {
  if (node_->descriptions || has(key)) return table(key);
  return std::nullopt;
}

SettingsTable SettingsTable::table(std::string_view key) const {
  const toml::node* value = node_->get(key);
  if (value && !value->is_table())
    node_->wrong(key, *value, fmt::format("a table [{}]", node_->field_of(key)));
  return SettingsTable{node_->child(value ? value->as_table() : nullptr, node_->field_of(key))};
}

std::vector<SettingsTable> SettingsTable::tables(std::string_view key) const {
  std::vector<SettingsTable> all;
  const toml::node* value = node_->get(key);
  const std::string inner = node_->field_of(key);
  if (node_->descriptions) {
    all.push_back(SettingsTable{node_->child(nullptr, inner + "[]")});
    return all;
  }
  if (!value) return all;
  const auto* array = value->as_array();
  if (!array) {
    node_->wrong(key, *value, fmt::format("tables [[{}]]", inner));
    return all;
  }
  std::size_t index = 0;
  for (const toml::node& element : *array) {
    if (const auto* inner_table = element.as_table())
      all.push_back(SettingsTable{node_->child(inner_table, fmt::format("{}[{}]", inner, index))});
    else
      node_->wrong(key, element, fmt::format("a table [[{}]]", inner));
    ++index;
  }
  return all;
}

std::vector<std::string> SettingsTable::keys() const {
  std::map<std::pair<unsigned, unsigned>, std::string> by_place;
  if (node_->table)
    for (const auto& [key, value] : *node_->table)
      by_place.emplace(std::pair{key.source().begin.line, key.source().begin.column}, std::string{key.str()});
  std::vector<std::string> all;
  all.reserve(by_place.size());
  for (auto& [place, key] : by_place) all.push_back(std::move(key));
  return all;
}

std::optional<std::string> SettingsTable::scalar(std::string_view key) const {
  const toml::node* value = node_->get(key);
  if (!value) return std::nullopt;
  auto text = as_written(*value);
  if (!text) node_->wrong(key, *value, "a number, a text, true or false");
  return text;
}

std::vector<std::string> SettingsTable::scalars(std::string_view key, std::string_view help) const {
  node_->describe(key, "a list of texts or integers", "[]", help);
  std::vector<std::string> all;
  const toml::node* value = node_->get(key);
  if (!value) return all;
  const auto* array = value->as_array();
  if (!array) {
    node_->wrong(key, *value, "a list of texts or integers");
    return all;
  }
  for (const toml::node& element : *array) {
    if (auto text = as_written(element))
      all.push_back(*std::move(text));
    else
      node_->wrong(key, element, "a text or an integer");
  }
  return all;
}

void SettingsTable::reject(std::string_view key, std::string_view expected) const {
  if (node_->descriptions) return;
  if (const toml::node* value = node_->get(key))
    node_->wrong(key, *value, expected);
  else
    node_->missing(key, expected);
}

bool SettingsTable::is_description() const { return node_->descriptions != nullptr; }

void SettingsTable::complain(std::string_view key, std::string_view text) const {
  if (!node_->descriptions) node_->problem(key, line_of(key), std::string{text});
}

void SettingsTable::warn(std::string_view key, std::string_view text) const {
  if (!node_->descriptions)
    node_->problems->warn({node_->file, line_of(key), node_->field_of(key), std::string{text}});
}

void SettingsTable::reject_table(std::string_view text) const {
  if (!node_->descriptions)
    node_->problems->add({node_->file, node_->line(), node_->field, std::string{text}});
}

int SettingsTable::line() const { return node_->line(); }
int SettingsTable::line_of(std::string_view key) const {
  const toml::node* value = node_->get(key);
  return value ? static_cast<int>(value->source().begin.line) : node_->line();
}
const std::string& SettingsTable::file_name() const { return node_->file; }
std::filesystem::path SettingsTable::folder() const {
  return std::filesystem::path{node_->file}.parent_path();
}
const std::string& SettingsTable::field() const { return node_->field; }
Problems& SettingsTable::problems() const { return *node_->problems; }

void SettingsTable::finish() const {
  if (!node_->table) return;
  for (const auto& [key, value] : *node_->table) {
    const std::string_view name = key.str();
    if (node_->asked.contains(name)) continue;
    std::string_view nearest;
    std::size_t best = 4;
    for (const std::string& known : node_->asked)
      if (const std::size_t d = distance(name, known); d < best) best = d, nearest = known;
    std::string text = "unknown key";
    if (!nearest.empty()) text += fmt::format(", did you mean \"{}\"?", nearest);
    node_->problem(name, static_cast<int>(key.source().begin.line), std::move(text));
  }
}

std::string to_toml_reference(const std::vector<KeyDescription>& descriptions) {
  std::string out, section;
  for (const KeyDescription& key : descriptions) {
    const auto dot = key.field.rfind('.');
    const std::string table = dot == std::string::npos ? "" : key.field.substr(0, dot);
    if (table != section) {
      const bool repeated = table.ends_with("[]");
      out += repeated ? fmt::format("\n[[{}]]\n", table.substr(0, table.size() - 2))
                      : fmt::format("\n[{}]\n", table);
      section = table;
    }
    out += fmt::format("# {} ({})\n", key.help, key.type);
    const std::string name = key.field.substr(dot == std::string::npos ? 0 : dot + 1);
    if (key.fallback.empty())
      out += fmt::format("{} =   # required\n", name);
    else if (key.fallback == "not set")
      out += fmt::format("# {} =   # not set\n", name);
    else
      out += fmt::format("# {} = {}\n", name, key.fallback);
  }
  return out;
}

}  // namespace watchroom
