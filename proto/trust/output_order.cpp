// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/trust/output_order.hpp"

#include <array>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

namespace watchroom {
namespace {

constexpr std::array targets{std::pair{OutputTarget::automatic, std::string_view{"automatic"}},
                             std::pair{OutputTarget::off, std::string_view{"off"}},
                             std::pair{OutputTarget::on, std::string_view{"on"}}};
constexpr std::size_t longest_name = 256;  // bytes

Error malformed(std::string_view what) {
  return fail(Errc::corrupt, Retry::never, "no order for an output: {}", what);
}

}  // namespace

std::string_view name_of(OutputTarget target) {
  for (const auto& [one, name] : targets)
    if (one == target) return name;
  std::abort();
}

std::optional<OutputTarget> output_target_named(std::string_view name) {
  for (const auto& [target, its_name] : targets)
    if (its_name == name) return target;
  return std::nullopt;
}

std::string_view name_of(OutputProgress progress) {
  switch (progress) {
    case OutputProgress::none: return "none";
    case OutputProgress::under_way: return "under_way";
    case OutputProgress::done: return "done";
    case OutputProgress::overruled: return "overruled";
    case OutputProgress::failed: return "failed";
    case OutputProgress::ended: return "ended";
  }
  std::abort();
}

std::string to_body(const OutputOrder& order) {
  const nlohmann::ordered_json json{{"output", order.output},
                                    {"to", name_of(order.to)},
                                    {"by", order.by},
                                    {"within_s", order.within.count()},
                                    {"lasting_s", order.lasting.count()}};
  return json.dump();
}

Result<OutputOrder> read_output_order(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || json.size() != 5) return malformed("expected output, to, by, within_s, lasting_s");
  OutputOrder order;
  const auto text = [&](const char* key, std::string& into) {
    const auto at = json.find(key);
    if (at == json.end() || !at->is_string()) return false;
    into = at->get<std::string>();
    return !into.empty() && into.size() <= longest_name;
  };
  const auto time = [&](const char* key, std::chrono::seconds least, std::chrono::seconds most,
                        std::chrono::seconds& into) {
    const auto at = json.find(key);
    if (at == json.end() || !at->is_number_unsigned()) return false;
    const auto told = at->get<std::uint64_t>();
    if (told < static_cast<std::uint64_t>(least.count()) || told > static_cast<std::uint64_t>(most.count()))
      return false;
    into = std::chrono::seconds{told};
    return true;
  };
  std::string to;
  if (!text("output", order.output)) return malformed("output is not a name");
  if (!text("by", order.by)) return malformed("by is not a name");
  const auto target = text("to", to) ? output_target_named(to) : std::nullopt;
  if (!target) return malformed("to is not on, off or automatic");
  order.to = *target;
  if (!time("within_s", OutputOrder::least_within, OutputOrder::most_within, order.within))
    return malformed("within_s is not 2 to 60");
  if (!time("lasting_s", order.within, OutputOrder::most_lasting, order.lasting))
    return malformed("lasting_s is not within_s to 86400");
  return order;
}

}  // namespace watchroom
