// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What agents are to be like, as the centre keeps it.
#include "aggregator/web/api.hpp"
#include "aggregator/web/asked.hpp"
#include "aggregator/web/configuration_json.hpp"
#include "aggregator/web/refusal.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::size_t longest_comment = 2'000;  // bytes

}  // namespace

Json to_json(const KeptConfiguration& kept) {
  return {{"number", kept.number},
          {"text", kept.text},
          {"by", kept.by},
          {"comment", kept.comment},
          {"at", to_rfc3339(kept.at)}};
}

Json to_json(const ConfigurationView& view) {
  Json json = to_json(view.kept);
  json["progress"] = name_of(view.progress);
  json["running"] = view.running;
  json["trouble"] = view.trouble;
  json["reasons"] = view.reasons;
  return json;
}

Answer Api::configuration(const Call& call) {
  const auto view = configurations_.latest(call.places.at(0), call.places.at(1));
  return view ? json(to_json(*view)) : refuse(view.error());
}

Answer Api::configuration_history(const Call& call) {
  const auto limit = limit_of(call, 20, 1'000);
  if (!limit) return malformed_query("limit", "1…1000");
  const auto history = configurations_.history(call.places.at(0), call.places.at(1), *limit);
  if (!history) return refuse(history.error());
  Json all = Json::array();
  for (const KeptConfiguration& kept : *history) all.push_back(to_json(kept));
  return json({{"configurations", std::move(all)}});
}

Answer Api::give_configuration(const Call& call) {
  const Json body = Json::parse(call.request.body, nullptr, false);
  const auto is_text = [&](const char* key) { return body.contains(key) && body[key].is_string(); };
  const std::size_t known = body.is_object() ? body.count("text") + body.count("comment") : 0;
  if (!body.is_object() || !is_text("text") || body.size() != known ||
      (body.contains("comment") && !is_text("comment")))
    return refuse(Refusal::malformed, R"(Expected {"text": "TOML", "comment": "why"}.)",
                  R"(应为 {"text": "TOML 文本", "comment": "说明"}。)");
  const std::string comment = is_text("comment") ? body["comment"].get<std::string>() : "";
  if (comment.size() > longest_comment)
    return refuse(Refusal::malformed, fmt::format("The comment is longer than {} bytes.", longest_comment),
                  fmt::format("备注超过 {} 字节。", longest_comment));
  const std::string &site = call.places.at(0), &agent = call.places.at(1);
  const auto given =
      configurations_.give(site, agent, body["text"].get<std::string>(), call.visitor->person.name, comment);
  record(call, "agent.configure", fmt::format("{}/{}", site, agent), given ? nullptr : &given.error(),
         given ? fmt::format("number {}: {}", given->kept.number, comment) : comment);
  if (!given && given.error().code == Errc::invalid)
    return refuse(Refusal::malformed, given.error().text, fmt::format("配置有误：\n{}", given.error().text));
  if (!given) return refuse(given.error());
  Answer answer = json(to_json(*given));
  answer.status = 202;
  return answer;
}

}  // namespace watchroom::aggregator
