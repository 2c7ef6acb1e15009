// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/topic.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace watchroom {
namespace {

constexpr std::string_view sparkplug_namespace = "spBv1.0";  // topic-structure-namespace-a
constexpr std::array<std::string_view, 8> verbs{"NBIRTH", "NDEATH", "NDATA", "NCMD",
                                                "DBIRTH", "DDEATH", "DDATA", "DCMD"};

std::vector<std::string_view> levels_of(std::string_view topic) {
  std::vector<std::string_view> levels;
  std::size_t begin = 0;
  for (std::size_t slash = topic.find('/'); slash != std::string_view::npos; slash = topic.find('/', begin)) {
    levels.push_back(topic.substr(begin, slash - begin));
    begin = slash + 1;
  }
  levels.push_back(topic.substr(begin));
  return levels;
}

}  // namespace

std::string_view name_of(Verb verb) { return verbs[static_cast<std::size_t>(verb)]; }
bool is_device_verb(Verb verb) { return verb >= Verb::dbirth; }

std::string Topic::str() const {
  return is_device_verb(verb)
             ? fmt::format("{}/{}/{}/{}/{}", sparkplug_namespace, group, name_of(verb), node, device)
             : fmt::format("{}/{}/{}/{}", sparkplug_namespace, group, name_of(verb), node);
}

std::optional<Topic> Topic::parse(std::string_view text) {
  const auto levels = levels_of(text);
  if (levels.size() < 4 || levels.size() > 5 || levels[0] != sparkplug_namespace) return std::nullopt;
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    if (verbs[i] != levels[2]) continue;
    const auto verb = static_cast<Verb>(i);
    const bool has_device = levels.size() == 5;
    if (has_device != is_device_verb(verb)) return std::nullopt;
    if (levels[1].empty() || levels[3].empty() || (has_device && levels[4].empty())) return std::nullopt;
    return Topic{std::string{levels[1]}, verb, std::string{levels[3]},
                 has_device ? std::string{levels[4]} : ""};
  }
  return std::nullopt;
}

bool is_valid_host_id(std::string_view id) {
  constexpr std::size_t longest = 200;
  return !id.empty() && id.size() <= longest && std::none_of(id.begin(), id.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '#' || c == '/' || c == '+' || byte <= ' ' || byte == 0x7F;
  });
}

std::string state_topic(std::string_view host) {
  return fmt::format("{}/STATE/{}", sparkplug_namespace, host);
}

std::optional<std::string> host_of_state_topic(std::string_view topic) {
  const auto levels = levels_of(topic);
  if (levels.size() != 3 || levels[0] != sparkplug_namespace || levels[1] != "STATE" || levels[2].empty())
    return std::nullopt;
  return std::string{levels[2]};
}

std::string HostState::str() const {
  return fmt::format("{{\"online\":{},\"timestamp\":{}}}", online ? "true" : "false", timestamp_ms);
}

std::optional<HostState> HostState::parse(std::string_view payload) {
  const auto json = nlohmann::json::parse(payload, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto online = json.find("online");
  const auto timestamp = json.find("timestamp");
  if (online == json.end() || !online->is_boolean()) return std::nullopt;
  if (timestamp == json.end() || !timestamp->is_number_integer()) return std::nullopt;
  return HostState{online->get<bool>(), timestamp->get<std::int64_t>()};
}

}  // namespace watchroom
