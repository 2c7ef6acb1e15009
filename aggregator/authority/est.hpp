// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/authority/authority.hpp"
#include "aggregator/identity/refusal_tally.hpp"
#include "aggregator/identity/throttle.hpp"

namespace watchroom::aggregator {

/// What a client of the enrolment server sent, without anything of the library that read it. Untrusted.
struct EstRequest {
  std::string method, target, content_type, authorization, body;
  std::string address;          ///< the peer's, without port
  std::string certificate_der;  ///< that TLS proved to be the peer's; whose it is, nobody has looked at yet
};

struct EstAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// Enrolment over Secure Transport (RFC 7030): /cacerts, /simpleenroll, /simplereenroll. No sockets. One
/// thread. `authority`, `refusals` and `clock` must outlive it.
class Est {
 public:
  Est(Authority& authority, RefusalTally& refusals, const Clock& clock)
      : authority_{authority}, refusals_{refusals}, clock_{clock}, throttle_{clock} {}

  EstAnswer answer(const EstRequest& request);

 private:
  EstAnswer certify(const EstRequest& request, bool is_first);
  EstAnswer renew(const EstRequest& request, const std::string& agent);

  struct Renewals {
    Steady since{};
    int count = 0;
  };

  Authority& authority_;
  RefusalTally& refusals_;
  const Clock& clock_;
  Throttle throttle_;
  std::map<std::string, Renewals> renewals_;  // by agent: of those that are enrolled
};

}  // namespace watchroom::aggregator
