// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "aggregator/authority/authority.hpp"
#include "aggregator/identity/refusal_tally.hpp"

namespace watchroom::aggregator {

/// The enrolment server's sockets: TLS 1.2 or newer on a port of its own, one thread. Its certificate comes
/// from the authority, lives in memory and is made anew long before it ends. `authority`, `refusals` and
/// `clock` must outlive it.
class EstListener {
 public:
  struct Limits {
    std::chrono::milliseconds handshake{10'000};
    std::chrono::milliseconds request{15'000};
    std::size_t connections = 64;
  };

  EstListener(Authority& authority, RefusalTally& refusals, const Clock& clock, Log log, Limits limits);
  EstListener(Authority& authority, RefusalTally& refusals, const Clock& clock, Log log);
  EstListener(const EstListener&) = delete;
  EstListener& operator=(const EstListener&) = delete;
  ~EstListener();

  Result<void> start();
  void stop();
  std::uint16_t port() const;

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace watchroom::aggregator
