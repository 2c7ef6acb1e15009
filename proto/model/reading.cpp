// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/model/reading.hpp"

#include <array>
#include <cstdlib>

#include <fmt/format.h>

namespace watchroom {
namespace {

constexpr std::array<std::string_view, 3> quality_names{"good", "stale", "bad"};
constexpr std::array<std::string_view, 4> severity_names{"critical", "major", "minor", "warning"};
constexpr std::array<std::string_view, 4> severity_names_zh{"紧急", "重要", "次要", "提示"};
constexpr std::array<std::string_view, 7> communication_names{
    "ok", "no_answer", "refused", "not_authorized", "corrupt", "not_connected", "unknown"};

template <typename Enum, std::size_t N>
std::optional<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Quality quality) { return quality_names[static_cast<std::size_t>(quality)]; }
std::optional<Quality> quality_named(std::string_view name) { return named<Quality>(quality_names, name); }

std::string_view name_of(Severity severity) { return severity_names[static_cast<std::size_t>(severity)]; }
std::string_view chinese_name_of(Severity severity) {
  return severity_names_zh[static_cast<std::size_t>(severity)];
}
std::optional<Severity> severity_named(std::string_view name) {
  return named<Severity>(severity_names, name);
}

std::string_view name_of(Communication state) { return communication_names[static_cast<std::size_t>(state)]; }
std::optional<Communication> communication_from(std::int64_t code) {
  if (code < 0 || code >= static_cast<std::int64_t>(communication_names.size())) return std::nullopt;
  return static_cast<Communication>(code);
}

std::optional<double> number_of(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1.0 : 0.0;
  return std::nullopt;
}

std::string to_text(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{:.10g}", *number);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return std::get<std::string>(value);
}

}  // namespace watchroom
