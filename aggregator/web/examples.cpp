// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/examples.hpp"

#include "aggregator/web/configuration_json.hpp"
#include "aggregator/web/gate.hpp"
#include "aggregator/web/output_json.hpp"
#include "aggregator/web/people_json.hpp"

namespace watchroom::aggregator::examples {
namespace {

constexpr Timestamp moment{std::chrono::milliseconds{1'795'230'000'000}};

PointView leak() {
  PointView point;
  point.site = "hq";
  point.agent = "room1";
  point.device = "leak1";
  point.name = "leak.state";
  point.device_name = "北侧水浸";
  point.label_zh = "水浸";
  point.label_en = "Water leak";
  point.unit = Unit::state;
  point.value = point.last_value = Value{std::int64_t{1}};
  point.state_zh = "有水";
  point.state_en = "wet";
  point.quality = "good";
  point.taken_at = moment;
  point.last_value_at = moment;
  return point;
}

AlarmView leak_alarm() {
  AlarmView view;
  view.id = 12;
  view.rule = "water-leak";
  view.kind = "state";
  view.severity = Severity::critical;
  view.state = AlarmLifeCycle::acknowledged;
  view.title_zh = "水浸";
  view.title_en = "Water leak";
  view.site = "hq";
  view.agent = "room1";
  view.device = "leak1";
  view.point = "leak.state";
  view.value = 1.0;
  view.limit = 1.0;
  view.unit = Unit::state;
  view.raised_at = moment;
  view.cleared_at = view.acknowledged_at = moment;
  view.is_active = true;
  view.mail = "sent";
  return view;
}

DeviceView example_device() {
  DeviceView view;
  view.id = "ups1";
  view.name = "一号 UPS";
  view.resource_class = view.class_configured = "general";
  view.class_wanted = "core";
  view.class_request = ClassRequest::pending;
  view.poll_interval = std::chrono::seconds{10};
  view.since = moment;
  return view;
}

}  // namespace

Json device() { return to_json(example_device()); }
Json wanted_class() { return {{"class", "core"}}; }

Json log_in() { return {{"name", "li"}, {"password", "correct horse battery"}}; }
Json session() { return Json::parse(session_text({"li", Role::operator_}, moment)); }
Json own_password() { return {{"old", "the present one"}, {"new", "another horse battery"}}; }
// The secret is the one of RFC 6238 appendix B, which nobody has.
Json pending_totp() { return to_json(PendingSecret{"li", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", moment}); }
Json totp_proof() { return {{"password", "correct horse battery"}, {"code", "287082"}}; }
Json session_with_totp() {
  Person person{"li", Role::operator_};
  person.totp = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
  return Json::parse(session_text(person, moment));
}

namespace {

UserEntry example_user() {
  UserEntry entry{"li", Role::operator_, ""};
  entry.domains = {"site:hq"};
  return entry;
}

TokenEntry example_token() {
  TokenEntry token{"grafana", "li", "0"};
  token.role = Role::viewer;
  token.actions = {Action::view};
  token.domains = {"room:hq/room1"};
  token.expires = moment;
  return token;
}

}  // namespace

Json user() {
  UsersFile file;
  file.users.push_back(example_user());
  file.tokens.push_back(example_token());
  return to_json(file.users.front(), file, {{"0", moment}});
}
Json wanted_token() {
  return {{"name", "grafana"},
          {"role", "viewer"},
          {"actions", {"view"}},
          {"domains", {"room:hq/room1"}},
          {"days", 90}};
}
Json token() {
  Json shown = to_json(example_token(), {{"0", moment}});
  shown["user"] = "li";
  shown["token"] = "wr_…";
  return shown;
}
Json users() { return {{"users", Json::array({user()})}}; }
Json user_with_password() {
  Json with = user();
  with["password"] = "shown this once";
  return with;
}
Json new_user() { return {{"name", "li"}, {"role", "operator"}, {"domains", {"site:hq"}}}; }
Json changed_user() { return {{"role", "operator"}, {"domains", {"site:hq"}}}; }

Json audit() {
  AuditEntry entry{17, moment, {}, hash_before_all(), ""};
  entry.event = {.who = "li",
                 .from = "10.0.0.7",
                 .action = "alarm.acknowledge",
                 .object = "alarm 12",
                 .detail = "on my way"};
  entry.hash = hash_of(entry);
  return {{"entries", Json::array({Json::parse(to_json_line(entry))})},
          {"head", {{"number", entry.number}, {"hash", entry.hash}}}};
}

Json status() {
  StatusView view;
  view.broker_since = moment;
  const FakeClock clock{moment};
  view.published_at = clock.steady();
  return to_json(view, clock);
}

Json points() { return {{"points", Json::array({to_json(leak(), moment)})}, {"version", 1}}; }

Json samples() {
  return {{"samples", Json::array({to_json(SampleView{moment, Value{21.5}, Quality::good, 7})})}};
}

Json alarm() { return to_json(leak_alarm()); }
Json alarms() { return {{"alarms", Json::array({alarm()})}}; }
Json acknowledgement() { return {{"comment", "on my way"}}; }

Json agents() {
  AgentView view;
  view.site = "hq";
  view.agent = "room1";
  view.since = moment;
  view.devices.push_back(example_device());
  return {{"agents", Json::array({to_json(view)})}};
}

Json identity() {
  return to_json(AgentIdentity{"hq", "room1", "hq.room1", "valid", "8F2A", moment, moment, "", moment});
}
Json identities() { return {{"identities", Json::array({identity()})}}; }
Json wanted_invitation() { return {{"hours", 24}}; }
Json invitation() {
  return to_json(Invitation{"hq", "room1", "wre1.…", "https://centre.example:8444", moment});
}
Json revocation() { return {{"reason", "the controller was stolen"}}; }

namespace {

KeptConfiguration kept() { return {"hq", "room1", 1795780800000, "# TOML\n", "li", "new sensors", moment}; }

}  // namespace

Json configuration() {
  return to_json(ConfigurationView{.kept = kept(), .progress = ConfigurationProgress::in_force});
}
Json configurations() { return {{"configurations", Json::array({to_json(kept())})}}; }
Json wanted_configuration() { return {{"text", "# TOML\n"}, {"comment", "new sensors"}}; }

namespace {

OutputWish wish() { return {.to = OutputTarget::on, .comment = "fire drill"}; }
KeptOrder order() {
  return {{"hq", "room1", "siren"}, 1795780800000, wish(), "li", moment, OrderProgress::done, moment, ""};
}
OutputView output() { return {{"hq", "room1", "siren"}, "on", true, moment, order(), std::nullopt}; }

}  // namespace

Json outputs() { return {{"outputs", Json::array({to_json(output())})}}; }
Json wanted_output() {
  return {{"to", "on"}, {"lasting_s", 600}, {"within_s", 10}, {"comment", "fire drill"}};
}
Json output_selection() { return to_json(OutputSelection{"4f1c…", moment, output(), wish()}); }
Json selected_output() { return {{"selection", "4f1c…"}}; }
Json output_order() { return to_json(order()); }
Json output_orders() { return {{"orders", Json::array({to_json(order())})}}; }

}  // namespace watchroom::aggregator::examples
