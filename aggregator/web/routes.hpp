// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aggregator/identity/roles.hpp"
#include "aggregator/web/message.hpp"
#include "aggregator/web/room_json.hpp"

namespace watchroom::aggregator {

class Api;

/// A request that found its route and may pass. Lives as long as the handler runs.
struct Call {
  const Request& request;
  const std::optional<Visitor>& visitor;   ///< always there unless the route is open
  const std::vector<std::string>& places;  ///< what stands for {…} in the pattern, in order

  /// The value of a query parameter; empty when it is not there.
  std::string_view query(std::string_view name) const;
};

/// Whom a route lets in.
enum class Entry {
  open,              ///< anybody: the log-in itself
  any_role,          ///< whoever is logged in
  by_action,         ///< whose role may do `Route::action`
  loopback_or_role,  ///< as by_action, or anybody on this machine
};

/// How a route keeps to the part of the house that its caller is responsible for. Every row says it; a row
/// that does not is refused to everybody, and a test fails.
enum class Bounds {
  undeclared,
  nothing,  ///< it says nothing of any room
  places,   ///< the handler leaves out what is outside; a pattern with {site}/{agent} is 404 there by itself
  whole,    ///< it cannot be divided: refused to whoever is limited
};

/// Which small pool a handler runs on, by what it may wait for. A slow disk must not hold up what is in
/// memory.
enum class Lane { memory, disk, password };
inline constexpr std::size_t lane_count = 3;

struct Parameter {
  std::string_view name;
  std::string_view help;
};

/// One row says everything about a route: from it come dispatch, rights, /api/openapi.json and the test of
/// all routes × roles.
struct Route {
  std::string_view method;
  std::string_view pattern;  ///< "{name}" stands for one segment, "{id}" for a number
  Entry entry;
  Action action;
  Bounds bounds;
  Lane lane;
  Answer (Api::*handler)(const Call&);
  std::string_view summary;
  std::vector<Parameter> query;
  /// Examples of the body sent and of the answer, from which the description derives its schemas; null: none.
  Json (*body_example)();
  Json (*answer_example)();
  int success = 200;
};

std::span<const Route> routes();

struct Match {
  const Route* route = nullptr;  ///< null: nothing for this method
  std::vector<std::string> places;
  std::string allowed;  ///< the methods this path has, for Allow; empty: no such path
};
/// What stands for a place of the route's pattern, e.g. "{site}"; nothing when it has no such place.
std::optional<std::string_view> place_named(const Route& route, const std::vector<std::string>& places,
                                            std::string_view name);
/// HEAD finds the routes of GET.
Match match(std::string_view method, std::string_view path);

/// The description of the API (OpenAPI 3.1), made from `routes()`.
Json openapi();

}  // namespace watchroom::aggregator
