// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/web/routes.hpp"

#include "aggregator/web/api.hpp"
#include "aggregator/web/examples.hpp"

namespace watchroom::aggregator {
namespace {

const std::vector<Parameter> point_filters{
    {"site", "only this site"},
    {"agent", "only this agent"},
    {"device", "only this device"},
    {"name", "only points of this name, e.g. ambient.temperature"},
    {"q", "only points whose id, label or device name contains this text; case does not matter"},
};
const std::vector<Parameter> sample_filters{
    {"id", "the point, as site/agent/device/name"},
    {"since", "RFC 3339 UTC, e.g. 2026-11-21T03:00:00Z; default: one hour ago"},
    {"limit", "1 to 10000, default 1000: the newest ones"},
};
const std::vector<Parameter> alarm_filters{
    {"state", "open (default) or all"},
    {"limit", "1 to 1000, default 200: the newest ones"},
};

const std::vector<Parameter> latest_ones{{"limit", "1 to 1000, default 20"}};

const std::vector<Parameter> audit_filters{
    {"after", "only entries with greater numbers, the first ones; without it the newest ones"},
    {"before", "only entries with smaller numbers"},
    {"since", "RFC 3339 UTC: from the first entry of this time or later"},
    {"until", "RFC 3339 UTC: to the last entry of this time or earlier"},
    {"limit", "1 to 2000, default 200"},
};

const Route all[] = {
    {"POST",
     "/api/v1/session",
     Entry::open,
     Action::view,
     Bounds::nothing,
     Lane::password,
     &Api::log_in,
     "Log in; sets the cookie",
     {},
     &examples::log_in,
     &examples::session},
    {"GET",
     "/api/v1/session",
     Entry::any_role,
     Action::view,
     Bounds::nothing,
     Lane::memory,
     &Api::who_am_i,
     "Who is logged in",
     {},
     nullptr,
     &examples::session},
    {"DELETE",
     "/api/v1/session",
     Entry::any_role,
     Action::view,
     Bounds::nothing,
     Lane::memory,
     &Api::log_out,
     "Log out",
     {},
     nullptr,
     nullptr},
    {"PUT",
     "/api/v1/session/password",
     Entry::any_role,
     Action::view,
     Bounds::nothing,
     Lane::password,
     &Api::change_password,
     "Set another password of one's own; all other sessions end",
     {},
     &examples::own_password,
     &examples::session},
    {"GET",
     "/api/v1/status",
     Entry::by_action,
     Action::view,
     Bounds::places,
     Lane::memory,
     &Api::status,
     "How the aggregator is",
     {},
     nullptr,
     &examples::status},
    {"GET", "/api/v1/points", Entry::by_action, Action::view, Bounds::places, Lane::memory, &Api::points,
     "Points with value, unit, quality and age", point_filters, nullptr, &examples::points},
    {"GET", "/api/v1/points/samples", Entry::by_action, Action::view, Bounds::places, Lane::disk,
     &Api::samples, "What a point was, oldest first", sample_filters, nullptr, &examples::samples},
    {"GET", "/api/v1/alarms", Entry::by_action, Action::view, Bounds::places, Lane::disk, &Api::alarms,
     "Alarms", alarm_filters, nullptr, &examples::alarms},
    {"POST",
     "/api/v1/alarms/{id}/acknowledge",
     Entry::by_action,
     Action::acknowledge,
     Bounds::places,
     Lane::disk,
     &Api::acknowledge,
     "Acknowledge an alarm",
     {},
     &examples::acknowledgement,
     &examples::alarm},
    {"GET",
     "/api/v1/agents",
     Entry::by_action,
     Action::view,
     Bounds::places,
     Lane::memory,
     &Api::agents,
     "Agents, their journals and devices",
     {},
     nullptr,
     &examples::agents},
    {"GET",
     "/api/v1/identities",
     Entry::by_action,
     Action::view,
     Bounds::places,
     Lane::disk,
     &Api::identities,
     "Certificates of agents: invited, valid, expired, revoked",
     {},
     nullptr,
     &examples::identities},
    {"POST",
     "/api/v1/agents/{site}/{agent}/invitation",
     Entry::by_action,
     Action::manage_agents,
     Bounds::places,
     Lane::disk,
     &Api::invite,
     "A token with which this agent enrols once; shown only now",
     {},
     &examples::wanted_invitation,
     &examples::invitation},
    {"POST",
     "/api/v1/agents/{site}/{agent}/revocation",
     Entry::by_action,
     Action::manage_agents,
     Bounds::places,
     Lane::disk,
     &Api::revoke,
     "End every certificate of this agent; its session with the broker is cut",
     {},
     &examples::revocation,
     &examples::identity},
    {"GET",
     "/api/v1/agents/{site}/{agent}/configuration",
     Entry::by_action,
     Action::manage_agents,
     Bounds::places,
     Lane::disk,
     &Api::configuration,
     "The configuration that was given to this agent last, and how far it is with it",
     {},
     nullptr,
     &examples::configuration},
    {"PUT",
     "/api/v1/agents/{site}/{agent}/configuration",
     Entry::by_action,
     Action::manage_agents,
     Bounds::places,
     Lane::disk,
     &Api::give_configuration,
     "Give this agent a configuration (TOML: classes, snmp_traps, device, output, reaction, inhibit). It is "
     "signed, "
     "sent, and followed or refused by the agent: look again",
     {},
     &examples::wanted_configuration,
     &examples::configuration,
     202},
    {"GET", "/api/v1/agents/{site}/{agent}/configurations", Entry::by_action, Action::manage_agents,
     Bounds::places, Lane::disk, &Api::configuration_history,
     "Every configuration this agent was given, newest first", latest_ones, nullptr,
     &examples::configurations},
    {"GET",
     "/api/v1/outputs",
     Entry::by_action,
     Action::view,
     Bounds::places,
     Lane::disk,
     &Api::outputs,
     "Sirens, valves, outlets that agents work, each with its state and its last order",
     {},
     nullptr,
     &examples::outputs},
    {"POST",
     "/api/v1/agents/{site}/{agent}/outputs/{output}/selections",
     Entry::by_action,
     Action::switch_outputs,
     Bounds::places,
     Lane::disk,
     &Api::select_output,
     "Choose an output and what it is to be (on, off, automatic), for how long (lasting_s, 600) and done by "
     "when (within_s, 10). Nothing is switched: show the answer to a person, who confirms it by an order",
     {},
     &examples::wanted_output,
     &examples::output_selection,
     201},
    {"POST",
     "/api/v1/agents/{site}/{agent}/outputs/{output}/orders",
     Entry::by_action,
     Action::switch_outputs,
     Bounds::places,
     Lane::disk,
     &Api::order_output,
     "Order what was selected: signed, sent, done and read back by the agent, or given up. Look again for "
     "its progress: sent, under_way, done, overruled, refused, failed, no_answer, ended",
     {},
     &examples::selected_output,
     &examples::output_order,
     202},
    {"GET", "/api/v1/agents/{site}/{agent}/outputs/{output}/orders", Entry::by_action, Action::view,
     Bounds::places, Lane::disk, &Api::output_orders, "Every order this output was given, newest first",
     latest_ones, nullptr, &examples::output_orders},
    {"PUT",
     "/api/v1/devices/{site}/{agent}/{device}/class",
     Entry::by_action,
     Action::set_class,
     Bounds::places,
     Lane::memory,
     &Api::request_class,
     "Ask a device's agent for another class: core, key or general. It is carried out when the device's "
     "class "
     "shows it",
     {},
     &examples::wanted_class,
     &examples::device,
     202},
    {"GET",
     "/api/v1/events",
     Entry::by_action,
     Action::view,
     Bounds::places,
     Lane::memory,
     &Api::events,
     "Server-sent events points, alarms, agents, status: a full set, then changes",
     {},
     nullptr,
     nullptr},
    {"GET", "/api/v1/audit", Entry::by_action, Action::view_audit, Bounds::whole, Lane::disk, &Api::audit,
     "The audit log, in the order of its numbers; how to verify it: aggregator/audit/audit_entry.hpp",
     audit_filters, nullptr, &examples::audit},
    {"GET",
     "/api/v1/users",
     Entry::by_action,
     Action::manage_users,
     Bounds::whole,
     Lane::memory,
     &Api::users,
     "Who may come in",
     {},
     nullptr,
     &examples::users},
    {"POST",
     "/api/v1/users",
     Entry::by_action,
     Action::manage_users,
     Bounds::whole,
     Lane::password,
     &Api::add_user,
     "Add a user; the password in the answer is shown this once and must be changed at the first log-in",
     {},
     &examples::new_user,
     &examples::user_with_password,
     201},
    {"PUT",
     "/api/v1/users/{user}",
     Entry::by_action,
     Action::manage_users,
     Bounds::whole,
     Lane::disk,
     &Api::change_user,
     "Another role or other domains",
     {},
     &examples::changed_user,
     &examples::user},
    {"DELETE",
     "/api/v1/users/{user}",
     Entry::by_action,
     Action::manage_users,
     Bounds::whole,
     Lane::disk,
     &Api::remove_user,
     "Remove a user with all tokens",
     {},
     nullptr,
     nullptr},
    {"POST",
     "/api/v1/users/{user}/password",
     Entry::by_action,
     Action::manage_users,
     Bounds::whole,
     Lane::password,
     &Api::reset_password,
     "A new password, shown this once, to be changed at the next log-in",
     {},
     nullptr,
     &examples::user_with_password},
    {"DELETE",
     "/api/v1/users/{user}/totp",
     Entry::by_action,
     Action::manage_users,
     Bounds::whole,
     Lane::disk,
     &Api::end_totp,
     "Ask this user for no one-time codes any more: the device is lost",
     {},
     nullptr,
     nullptr},
    {"POST",
     "/api/v1/users/{user}/tokens",
     Entry::by_action,
     Action::manage_users,
     Bounds::whole,
     Lane::disk,
     &Api::add_token,
     "Make an API token of this user, shown this once, for 1 to 3650 days (90). It may never do more than "
     "the "
     "user, nor than who asks for it",
     {},
     &examples::wanted_token,
     &examples::token,
     201},
    {"DELETE",
     "/api/v1/users/{user}/tokens/{token}",
     Entry::by_action,
     Action::manage_users,
     Bounds::whole,
     Lane::disk,
     &Api::remove_token,
     "End an API token at once",
     {},
     nullptr,
     nullptr},
    {"GET",
     "/api/openapi.json",
     Entry::by_action,
     Action::view,
     Bounds::nothing,
     Lane::memory,
     &Api::description,
     "This description",
     {},
     nullptr,
     nullptr},
    {"GET",
     "/metrics",
     Entry::loopback_or_role,
     Action::view,
     Bounds::nothing,
     Lane::memory,
     &Api::metrics,
     "Figures for Prometheus (text format 0.0.4)",
     {},
     nullptr,
     nullptr},
};

std::string_view take_segment(std::string_view& path) {
  const auto slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  return segment;
}

/// Whether the path has the pattern's form; `places` is then what stands for {…}.
bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>& places) {
  if (path.empty() || path.back() == '/') return false;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = take_segment(pattern), found = take_segment(path);
    if (wanted.starts_with('{') && !found.empty())
      places.emplace_back(found);
    else if (wanted != found)
      return false;
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::string_view Call::query(std::string_view name) const {
  for (const auto& [key, value] : request.query)
    if (key == name) return value;
  return {};
}

std::span<const Route> routes() { return all; }

std::optional<std::string_view> place_named(const Route& route, const std::vector<std::string>& places,
                                            std::string_view name) {
  std::string_view pattern = route.pattern;
  for (std::size_t at = 0; !pattern.empty();) {
    const std::string_view segment = take_segment(pattern);
    if (segment == name)
      return at < places.size() ? std::optional<std::string_view>{places[at]} : std::nullopt;
    if (segment.starts_with('{')) ++at;
  }
  return std::nullopt;
}

Match match(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  Match found;
  for (const Route& route : all) {
    std::vector<std::string> places;
    if (!fits(route.pattern, path, places)) continue;
    found.allowed += fmt::format("{}{}", found.allowed.empty() ? "" : ", ", route.method);
    if (route.method == method) found.route = &route, found.places = std::move(places);
  }
  return found;
}

}  // namespace watchroom::aggregator
