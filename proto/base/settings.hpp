// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/result.hpp"

namespace watchroom {

/// One thing wrong in a settings file, worded so that it can be mended without asking anybody.
struct Problem {
  std::string file;
  int line = 0;  ///< 0: no line, e.g. the file itself is missing
  std::string field;
  std::string text;  ///< the value found and what was expected

  /// "agent.toml:12: device[1].unit: 300 is out of range, expected 0 to 247".
  std::string str() const;
};

/// Collects every problem, so that all are told at once.
class Problems {
 public:
  void add(Problem problem) { all_.push_back(std::move(problem)); }
  bool empty() const { return all_.empty(); }
  const std::vector<Problem>& all() const { return all_; }
  /// What should be mended but keeps nothing from running; not part of the above.
  void warn(Problem problem) { warnings_.push_back(std::move(problem)); }
  const std::vector<Problem>& warnings() const { return warnings_; }
  /// One problem a line, in order of file and line.
  std::string str() const;

 private:
  std::vector<Problem> all_;
  std::vector<Problem> warnings_;
};

/// What a key means. The reading code is the only description of a settings file: `describe` runs the same
/// code over an empty table and prints what it asked for.
struct KeyDescription {
  std::string field;     ///< "broker.port"
  std::string type;      ///< "text", "integer 1 to 65535", …
  std::string fallback;  ///< as TOML; empty: required
  std::string help;
};

struct TextKey {
  std::string_view help;
  std::optional<std::string> fallback = {};
  std::size_t longest = 1000;
};
struct IntegerKey {
  std::string_view help;
  std::optional<std::int64_t> fallback = {};
  std::int64_t least = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};
struct NumberKey {
  std::string_view help;
  std::optional<double> fallback = {};
  double least = std::numeric_limits<double>::lowest();
  double most = std::numeric_limits<double>::max();
};
/// The key's suffix says its unit (`_ms`, `_s`, `_min`, `_h`, `_days`); the values here are durations.
struct DurationKey {
  std::string_view help;
  std::optional<std::chrono::milliseconds> fallback = {};
  std::chrono::milliseconds least{0};
  std::chrono::milliseconds most = std::chrono::hours{24 * 3660};
};
/// Relative paths are relative to the folder of the settings file. What must exist must be a file (or a
/// folder) that can be read.
struct FileKey {
  std::string_view help;
  std::optional<std::string> fallback = {};
  bool must_exist = true;
  bool is_folder = false;
};

/// A table of a TOML file while it is being read. Each accessor takes note of its key, writes what is wrong
/// to `Problems` and then returns something harmless, so that reading goes on; check `Problems` before use.
/// Call `finish()` last: keys nobody asked for are errors. Not thread-safe; cheap to copy.
class SettingsTable {
 public:
  /// No table (only problems) when the file cannot be read or is not TOML.
  static std::optional<SettingsTable> load(const std::filesystem::path& file, Problems& problems);
  static std::optional<SettingsTable> parse(std::string_view text, const std::string& file,
                                            Problems& problems);
  /// An empty table that notes what is asked of it. `descriptions` must outlive it.
  static SettingsTable describing(std::vector<KeyDescription>& descriptions, Problems& problems);

  /// Whoever wrote it may name files beneath its folder only: it came from elsewhere. Before any table is
  /// read.
  void confine();

  bool has(std::string_view key) const;
  /// Nothing is read: the keys are only asked for.
  bool is_description() const;
  bool is_table(std::string_view key) const;

  std::string text(std::string_view key, const TextKey& about) const;
  std::optional<std::string> optional_text(std::string_view key, std::string_view help) const;
  std::int64_t integer(std::string_view key, const IntegerKey& about) const;
  std::optional<std::int64_t> optional_integer(std::string_view key, const IntegerKey& about) const;
  double number(std::string_view key, const NumberKey& about) const;
  std::optional<double> optional_number(std::string_view key, const NumberKey& about) const;
  bool flag(std::string_view key, bool fallback, std::string_view help) const;
  std::chrono::milliseconds duration(std::string_view key, const DurationKey& about) const;
  std::optional<std::chrono::milliseconds> optional_duration(std::string_view key,
                                                             const DurationKey& about) const;
  std::filesystem::path file(std::string_view key, const FileKey& about) const;
  std::optional<std::filesystem::path> optional_file(std::string_view key, const FileKey& about) const;
  /// `fallback` is for a missing key; an empty list is an answer.
  std::vector<std::string> texts(std::string_view key, std::string_view help,
                                 const std::vector<std::string>& fallback = {}) const;

  /// One of the names in `choices`, given as {name, meaning} pairs; returns the meaning.
  template <typename T>
  T choice(std::string_view key, const std::vector<std::pair<std::string_view, T>>& choices,
           std::optional<T> fallback, std::string_view help) const {
    std::vector<std::string_view> names;
    std::optional<std::size_t> fallback_index;
    for (const auto& [name, meaning] : choices) {
      if (fallback && *fallback == meaning) fallback_index = names.size();
      names.push_back(name);
    }
    return choices[choice_index(key, names, fallback_index, help)].second;
  }

  /// A missing table reads as an empty one, so that required keys inside are reported by name.
  SettingsTable table(std::string_view key) const;
  std::optional<SettingsTable> optional_table(std::string_view key) const;
  /// `[[key]]`; in a description, one empty element.
  std::vector<SettingsTable> tables(std::string_view key) const;
  /// The keys of a table with free names (states, expected values), in file order; read each with the
  /// accessors above.
  std::vector<std::string> keys() const;
  /// Text as written for a scalar of any kind ("23.1", "true", "wet"), for tables with free names.
  std::optional<std::string> scalar(std::string_view key) const;
  /// An array whose elements may be texts or integers, each as text.
  std::vector<std::string> scalars(std::string_view key, std::string_view help) const;

  /// Reports `key` as wrong: what was found is added by itself where it is a scalar.
  void reject(std::string_view key, std::string_view expected) const;
  /// Reports `key` in the caller's own words.
  void complain(std::string_view key, std::string_view text) const;
  /// The same as a warning.
  void warn(std::string_view key, std::string_view text) const;
  /// Reports the table itself.
  void reject_table(std::string_view text) const;
  int line() const;
  int line_of(std::string_view key) const;
  const std::string& file_name() const;
  std::filesystem::path folder() const;
  /// The table's own place, e.g. "device[2]"; empty at the top.
  const std::string& field() const;
  Problems& problems() const;

  void finish() const;

 private:
  bool is_confined() const;
  struct Node;
  explicit SettingsTable(std::shared_ptr<Node> node) : node_{std::move(node)} {}
  void describe_optional(std::string_view key, std::string_view type, std::string_view help) const;
  std::size_t choice_index(std::string_view key, const std::vector<std::string_view>& names,
                           std::optional<std::size_t> fallback, std::string_view help) const;
  // Shared: copies of a table must agree on which keys were asked for.
  std::shared_ptr<Node> node_;
};

/// The first line of a secret's file. Refuses an empty file and one that everybody may read.
Result<std::string> read_secret(const std::filesystem::path& file);

/// A TOML file with every key commented, from the reader's own descriptions.
std::string to_toml_reference(const std::vector<KeyDescription>& descriptions);

}  // namespace watchroom
