// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/routes.hpp"

namespace watchroom::aggregator {
namespace {

/// Fields that are null when there is nothing to say; the examples show them filled.
bool is_nullable(std::string_view key) {
  return key == "value" || key == "last_value" || key == "limit" || key == "age_s" || key == "since" ||
         key == "domains" || key == "actions" || key == "head" || key == "class_configured" ||
         key == "class_wanted" || key == "poll_interval_ms" || key.ends_with("_at");
}

/// Values are numbers, codes, flags or texts, whatever the example shows.
bool is_any_value(std::string_view key) { return key == "value" || key == "last_value"; }

Json schema_of(const Json& example, std::string_view key) {
  if (is_any_value(key)) return {{"type", {"number", "boolean", "string", "null"}}};
  const auto typed = [&](std::string_view type) -> Json {
    if (is_nullable(key)) return {{"type", {type, "null"}}};
    return {{"type", type}};
  };
  if (example.is_object() && is_nullable(key)) {
    Json schema = schema_of(example, "");
    schema["type"] = {"object", "null"};
    return schema;
  }
  if (example.is_object()) {
    Json properties = Json::object();
    for (const auto& [name, value] : example.items()) properties[name] = schema_of(value, name);
    return {{"type", "object"}, {"properties", properties}};
  }
  if (example.is_array()) {
    Json schema = typed("array");
    schema["items"] = schema_of(example.front(), "");
    return schema;
  }
  if (example.is_boolean()) return typed("boolean");
  if (example.is_number_integer()) return typed("integer");
  if (example.is_number()) return typed("number");
  Json schema = typed("string");
  if (key.ends_with("_at") || key == "since" || key == "time") schema["format"] = "date-time";
  return schema;
}

Json content_of(Json (*example)()) {
  const Json body = example();
  return {{"application/json", {{"schema", schema_of(body, "")}, {"example", body}}}};
}

Json refusal(std::string_view description) {
  return {
      {"description", description},
      {"content", {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
}

std::string success_status(const Route& route) {
  return route.method == "DELETE" && !route.answer_example ? "204" : std::to_string(route.success);
}

/// The names that stand in a pattern's braces.
std::vector<std::string> places_in(std::string_view pattern) {
  std::vector<std::string> names;
  for (auto at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1))
    names.emplace_back(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
  return names;
}

Json responses_of(const Route& route) {
  Json responses = Json::object();
  Json success{{"description", route.summary}};
  if (route.answer_example) success["content"] = content_of(route.answer_example);
  responses[success_status(route)] = success;
  if (!route.query.empty() || route.body_example) responses["400"] = refusal("the request is not valid");
  responses["401"] = refusal(route.entry == Entry::open ? "name or password is wrong" : "not logged in");
  if (route.entry != Entry::open) responses["403"] = refusal("the role may not do this");
  if (!places_in(route.pattern).empty()) {
    responses["404"] = refusal("there is no such thing");
    responses["409"] = refusal("it is so already, or cannot be asked now");
  }
  if (route.lane == Lane::password)
    responses["429"] = refusal("too many failures; Retry-After says how long");
  responses["503"] = refusal("busy; try again after Retry-After");
  return responses;
}

Json operation_of(const Route& route) {
  Json operation{{"summary", route.summary}, {"parameters", Json::array()}};
  for (const std::string& name : places_in(route.pattern))
    operation["parameters"].push_back({{"name", name},
                                       {"in", "path"},
                                       {"required", true},
                                       {"schema", {{"type", name == "id" ? "integer" : "string"}}}});
  for (const Parameter& parameter : route.query)
    operation["parameters"].push_back({{"name", parameter.name},
                                       {"in", "query"},
                                       {"description", parameter.help},
                                       {"schema", {{"type", "string"}}}});
  if (route.body_example) operation["requestBody"] = {{"content", content_of(route.body_example)}};
  operation["responses"] = responses_of(route);
  if (route.entry == Entry::open) operation["security"] = Json::array();
  Json roles = Json::array();
  for (const Role role : all_roles)
    if (route.entry == Entry::any_role || may(role, route.action)) roles.push_back(name_of(role));
  if (route.entry != Entry::open) operation["x-roles"] = roles;
  // With domains: what is outside is not there, or the whole route is refused.
  if (route.bounds == Bounds::places) operation["x-domains"] = "part";
  if (route.bounds == Bounds::whole) operation["x-domains"] = "refused";
  return operation;
}

std::string lower(std::string_view method) {
  std::string out;
  for (const char c : method) out += static_cast<char>(c | 0x20);
  return out;
}

}  // namespace

Json openapi() {
  Json paths = Json::object();
  for (const Route& route : routes())
    paths[std::string{route.pattern}][lower(route.method)] = operation_of(route);
  Json problem = Json::object();
  for (const auto key : {"type", "title", "detail", "title_zh", "detail_zh"})
    problem[key] = {{"type", "string"}};
  problem["status"] = {{"type", "integer"}};
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "Watchroom"},
            {"version", WATCHROOM_VERSION},
            {"description",
             "Times are RFC 3339 UTC. Unknown query parameters are refused. Texts that come from "
             "devices are untrusted."}}},
          {"paths", paths},
          {"security", Json::array({{{"session", Json::array()}}, {{"token", Json::array()}}})},
          {"components",
           {{"schemas", {{"Problem", {{"type", "object"}, {"properties", problem}}}}},
            {"securitySchemes",
             {{"session", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "wr_session"}}},
              {"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace watchroom::aggregator
