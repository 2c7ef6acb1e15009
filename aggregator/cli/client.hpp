// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "aggregator/cli/console.hpp"
#include "proto/base/result.hpp"

namespace watchroom::cli {

/// Where the aggregator is and how to reach it. The token comes from a file, never from the command line,
/// where every user of the machine could read it.
struct Target {
  std::string url;
  std::string ca_file;  ///< empty: the system's authorities
  std::string token_file;
};

/// What the server said. `body` is as it came.
struct Reply {
  long status = 0;
  std::string body;
  Json json;
};

/// Calls the REST API; each call waits at most 20 s. Errors are whole sentences in the console's language.
class Client {
 public:
  Client(Target target, const Console& console) : target_{std::move(target)}, console_{console} {}

  Result<Reply> get(const std::string& path) const;
  Result<Reply> post(const std::string& path, const Json& body) const;
  Result<Reply> put(const std::string& path, const Json& body) const;
  Result<Reply> remove(const std::string& path) const;

 private:
  Result<Reply> call(const char* method, const std::string& path, const std::string* body) const;
  Error connection_error(int curl_code, const std::string& reason) const;
  Error server_error(const Reply& reply) const;

  Target target_;
  const Console& console_;
};

/// For a query: everything but letters, digits and -._~ as %XX (RFC 3986 section 2.3).
std::string percent_encoded(std::string_view text);

}  // namespace watchroom::cli
