// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aggregator/identity/users.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// A query as sent, decoded, in its order.
using Query = std::vector<std::pair<std::string, std::string>>;

/// What a client asked, without anything of the library that read it. All of it is untrusted.
struct Request {
  std::string method;
  std::string path;  ///< decoded
  Query query;
  std::string body;
  std::string cookie, authorization, origin, host, content_type, fetch_site, if_none_match;
  std::string address;  ///< the peer's, without port
  bool is_loopback = false;
};

/// Path and query of a request's target, decoded (RFC 3986 section 2.1); false for one that is not valid or
/// hides a NUL.
bool split_target(std::string_view target, Request& request);
/// The value of a cookie in a Cookie header (RFC 6265 section 4.2.1).
std::optional<std::string_view> cookie_named(std::string_view header, std::string_view name);

/// How somebody proved who they are, and who that is. Kept with an open stream to ask again.
struct Visitor {
  enum class Proof { session, token };
  Proof proof = Proof::session;
  std::string secret_sha256;
  Person person;
  std::optional<Timestamp> expires_at;  ///< nothing: a token for ever
};

struct Answer {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body;
  std::string_view fixed_body;  ///< instead of `body`: part of the program
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<Visitor> stream_to;  ///< the body is the event stream, for as long as this visitor may see it
};

}  // namespace watchroom::aggregator
