// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Outputs that agents work, and orders to them: select before operate.
#include "aggregator/web/api.hpp"
#include "aggregator/web/asked.hpp"
#include "aggregator/web/output_json.hpp"
#include "aggregator/web/refusal.hpp"
#include "proto/base/utf8.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::size_t longest_comment = 500;  // characters

OutputPlace place_of(const Call& call) { return {call.places.at(0), call.places.at(1), call.places.at(2)}; }

std::string name_of(const OutputPlace& place) {
  return fmt::format("{}/{}/{}", place.site, place.agent, place.output);
}

/// Whole seconds; what is absent stays as it is.
bool read_seconds(const Json& body, const char* key, std::chrono::seconds least, std::chrono::seconds most,
                  std::chrono::seconds& into) {
  if (!body.contains(key)) return true;
  if (!body[key].is_number_integer()) return false;
  const auto told = body[key].get<std::int64_t>();
  if (told < least.count() || told > most.count()) return false;
  into = std::chrono::seconds{told};
  return true;
}

/// What is wrong with it is said in both languages: first English.
std::optional<OutputWish> read_wish(const Json& body, std::pair<std::string, std::string>& wrong) {
  const auto is_text = [&](const char* key) { return body.contains(key) && body[key].is_string(); };
  OutputWish wish;
  if (!body.is_object() || !is_text("to") || !is_text("comment")) {
    wrong = {R"(Expected {"to": "on", "lasting_s": 600, "within_s": 10, "comment": "why"}.)",
             R"(应为 {"to": "on", "lasting_s": 600, "within_s": 10, "comment": "原因"}。)"};
    return std::nullopt;
  }
  for (const auto& [key, value] : body.items())
    if (key != "to" && key != "comment" && key != "lasting_s" && key != "within_s") {
      wrong = {fmt::format("\"{}\" is unknown here.", key), fmt::format("未知的键“{}”。", key)};
      return std::nullopt;
    }
  const auto to = output_target_named(body["to"].get<std::string>());
  wish.comment = body["comment"].get<std::string>();
  if (!to) wrong = {"to: expected on, off or automatic.", "to：应为 on、off 或 automatic。"};
  const auto length = count_of_characters(wish.comment);
  if (!length || *length == 0 || *length > longest_comment || has_control_characters(wish.comment))
    wrong = {"comment: expected 1 to 500 characters that say why.", "comment：应为 1 到 500 个字符的原因。"};
  if (!read_seconds(body, "lasting_s", OutputOrder::least_within, OutputOrder::most_lasting, wish.lasting))
    wrong = {"lasting_s: expected 2 to 86400.", "lasting_s：应为 2 到 86400。"};
  if (!read_seconds(body, "within_s", OutputOrder::least_within, OutputOrder::most_within, wish.within))
    wrong = {"within_s: expected 2 to 60.", "within_s：应为 2 到 60。"};
  if (!wrong.first.empty()) return std::nullopt;
  wish.to = *to;
  wish.within = std::min(wish.within, wish.lasting);
  return wish;
}

Answer refuse_output(const Error& error) {
  switch (error.code) {
    case Errc::not_found: return refuse(Refusal::not_found, error.text, "没有这个输出。");
    case Errc::conflict:
      return refuse(Refusal::conflict, error.text,
                    "采集代理不在线，或选择已过期、已使用、属于他人，或输出状态已变化：请重新选择。");
    case Errc::not_connected: return refuse(Refusal::busy, error.text, "消息服务器未连接，命令未发出。");
    default: return refuse(error);
  }
}

}  // namespace

Json to_json(const KeptOrder& order) {
  const bool holds = order.wish.to != OutputTarget::automatic &&
                     (order.progress == OrderProgress::under_way || order.progress == OrderProgress::done ||
                      order.progress == OrderProgress::overruled);
  return {{"number", order.number},
          {"to", watchroom::name_of(order.wish.to)},
          {"lasting_s", order.wish.lasting.count()},
          {"within_s", order.wish.within.count()},
          {"by", order.by},
          {"comment", order.wish.comment},
          {"at", to_rfc3339(order.at)},
          {"progress", aggregator::name_of(order.progress)},
          {"progress_at", to_rfc3339(order.progress_at)},
          {"holds_until", holds ? Json(to_rfc3339(order.at + order.wish.lasting)) : Json(nullptr)},
          {"reason", order.reason}};
}

Json to_json(const OutputView& view) {
  return {{"site", view.place.site},
          {"agent", view.place.agent},
          {"output", view.place.output},
          {"state", view.state},
          {"is_live", view.is_live},
          {"at", view.at ? Json(to_rfc3339(*view.at)) : Json(nullptr)},
          {"order", view.order ? to_json(*view.order) : Json(nullptr)},
          {"held", view.held ? to_json(*view.held) : Json(nullptr)}};
}

Json to_json(const OutputSelection& selection) {
  return {{"selection", selection.id},
          {"until", to_rfc3339(selection.until)},
          {"output", to_json(selection.output)},
          {"to", watchroom::name_of(selection.wish.to)},
          {"lasting_s", selection.wish.lasting.count()},
          {"within_s", selection.wish.within.count()},
          {"comment", selection.wish.comment}};
}

Answer Api::outputs(const Call& call) {
  const auto views = outputs_.outputs();
  if (!views) return refuse(views.error());
  Json all = Json::array();
  for (const OutputView& view : *views)
    if (call.visitor->person.reach.covers(view.place.site, view.place.agent)) all.push_back(to_json(view));
  return json({{"outputs", std::move(all)}});
}

Answer Api::select_output(const Call& call) {
  std::pair<std::string, std::string> wrong;
  const auto wish = read_wish(Json::parse(call.request.body, nullptr, false), wrong);
  if (!wish) return refuse(Refusal::malformed, wrong.first, wrong.second);
  const OutputPlace place = place_of(call);
  const auto selection = outputs_.select(place, *wish, call.visitor->person.audit_name());
  record(call, "output.select", name_of(place), selection ? nullptr : &selection.error(),
         fmt::format("{}: {}", watchroom::name_of(wish->to), wish->comment));
  if (!selection) return refuse_output(selection.error());
  Answer answer = json(to_json(*selection));
  answer.status = 201;
  return answer;
}

Answer Api::order_output(const Call& call) {
  const Json body = Json::parse(call.request.body, nullptr, false);
  if (!body.is_object() || body.size() != 1 || !body.contains("selection") || !body["selection"].is_string())
    return refuse(Refusal::malformed, R"(Expected {"selection": "…"}, as the selection gave it.)",
                  R"(应为 {"selection": "…"}，取自选择的结果。)");
  const OutputPlace place = place_of(call);
  const auto ordered =
      outputs_.order(place, body["selection"].get<std::string>(), call.visitor->person.audit_name());
  record(call, "output.order", name_of(place), ordered ? nullptr : &ordered.error(),
         ordered ? fmt::format("order {}: {} for {} s, within {} s: {}", ordered->number,
                               watchroom::name_of(ordered->wish.to), ordered->wish.lasting.count(),
                               ordered->wish.within.count(), ordered->wish.comment)
                 : "");
  if (!ordered) return refuse_output(ordered.error());
  Answer answer = json(to_json(*ordered));
  answer.status = 202;
  return answer;
}

Answer Api::output_orders(const Call& call) {
  const auto limit = limit_of(call, 20, 1'000);
  if (!limit) return malformed_query("limit", "1…1000");
  const auto history = outputs_.history(place_of(call), *limit);
  if (!history) return refuse(history.error());
  Json all = Json::array();
  for (const KeptOrder& order : *history) all.push_back(to_json(order));
  return json({{"orders", std::move(all)}});
}

}  // namespace watchroom::aggregator
