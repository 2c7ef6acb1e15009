// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/model/point_name.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace watchroom {
namespace {

constexpr std::size_t longest_instance = 32;
constexpr std::size_t longest_id = 64;

bool is_id_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

using KindsByName = std::unordered_map<std::string_view, const PointKind*>;

const KindsByName& kinds_by_name() {
  static const KindsByName by_name = [] {
    KindsByName made;
    for (const PointKind& kind : point_kinds()) made.emplace(kind.name, &kind);
    return made;
  }();
  return by_name;
}

std::string remove_all(std::string text, std::string_view part) {
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at))
    text.erase(at, part.size());
  return text;
}

/// The instances in the order of their brackets; nothing when a bracket is malformed.
std::optional<std::vector<std::string_view>> instances_of(std::string_view text) {
  std::vector<std::string_view> found;
  for (std::size_t open = text.find('['); open != std::string_view::npos; open = text.find('[', open + 1)) {
    const std::size_t close = text.find(']', open);
    if (close == std::string_view::npos) return std::nullopt;
    const auto instance = text.substr(open + 1, close - open - 1);
    if (instance.empty() || instance.size() > longest_instance) return std::nullopt;
    if (!std::all_of(instance.begin(), instance.end(), is_id_character)) return std::nullopt;
    found.push_back(instance);
  }
  return found;
}

/// The kind that shares the most words with what was written.
std::string_view nearest_kind(std::string_view bare) {
  std::string_view best;
  std::size_t most = 0;
  const std::string plain = remove_all(std::string{bare}, "[]");
  for (const PointKind& kind : point_kinds()) {
    const std::string candidate = remove_all(std::string{kind.name}, "[]");
    std::size_t shared = 0;
    while (shared < std::min(plain.size(), candidate.size()) && plain[shared] == candidate[shared]) ++shared;
    if (shared > most) most = shared, best = kind.name;
  }
  return best;
}

}  // namespace

std::string without_instances(std::string_view point) {
  std::string bare;
  bool inside = false;
  for (const char c : point) {
    if (c == ']') inside = false;
    if (!inside) bare += c;
    if (c == '[') inside = true;
  }
  return bare;
}

Result<PointName> PointName::parse(std::string_view text) {
  const auto instances = instances_of(text);
  if (!instances || std::count(text.begin(), text.end(), ']') != static_cast<long>(instances->size()))
    return fail(Errc::invalid, Retry::never,
                "\"{}\": an instance in brackets is 1 to {} letters, digits, _ or -", text, longest_instance);
  const std::string bare = without_instances(text);
  const auto& by_name = kinds_by_name();
  if (const auto found = by_name.find(bare); found != by_name.end())
    return PointName{std::string{text}, *found->second};
  // "outlet.current" for the only outlet: the list's brackets may stay away altogether.
  if (instances->empty())
    for (const PointKind& kind : point_kinds())
      if (remove_all(std::string{kind.name}, "[]") == bare) return PointName{std::string{text}, kind};
  return fail(Errc::invalid, Retry::never, "\"{}\" is not a known point; the nearest is \"{}\"", text,
              nearest_kind(bare));
}

std::string PointName::label_zh() const {
  std::string label{kind_->label_zh};
  if (const auto instances = instances_of(text_); instances)
    for (const auto instance : *instances) label += fmt::format(" {}", instance);
  return label;
}

std::string PointName::label_en() const {
  std::string label{kind_->label_en};
  if (const auto instances = instances_of(text_); instances)
    for (const auto instance : *instances) label += fmt::format(" {}", instance);
  return label;
}

bool is_valid_id(std::string_view id) {
  return !id.empty() && id.size() <= longest_id && std::all_of(id.begin(), id.end(), is_id_character);
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  // Greedy with one step back to the last star: linear for one star, quadratic at worst.
  std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace watchroom
