// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <mutex>

#include "aggregator/live/agent_identities.hpp"

namespace watchroom::aggregator {

/// For tests: one agent, hq/room1, with a certificate until it is revoked.
class FakeIdentities final : public AgentIdentities {
 public:
  Result<std::vector<AgentIdentity>> identities() const override {
    const std::lock_guard lock{mutex_};
    return std::vector{room1_};
  }
  Result<Invitation> invite(const std::string& site, const std::string& agent, std::chrono::hours valid_for,
                            const Asker& by) override {
    const std::lock_guard lock{mutex_};
    asked_ = by;
    return Invitation{site, agent, "wre1.token", "https://centre:8444",
                      from_ms(1'800'000'000'000) + valid_for};
  }
  Result<AgentIdentity> revoke(const std::string& site, const std::string& agent, const std::string& reason,
                               const Asker& by) override {
    const std::lock_guard lock{mutex_};
    if (site != room1_.site || agent != room1_.agent)
      return fail(Errc::not_found, Retry::never, "{}/{} has no certificate", site, agent);
    asked_ = by;
    room1_.state = "revoked";
    room1_.reason = reason;
    room1_.revoked_at = from_ms(1'800'000'000'000);
    return room1_;
  }
  Asker asked() const {
    const std::lock_guard lock{mutex_};
    return asked_;
  }

 private:
  mutable std::mutex mutex_;
  AgentIdentity room1_{"hq", "room1", "hq.room1", "valid", "0A", from_ms(1'830'000'000'000)};
  Asker asked_;
};

}  // namespace watchroom::aggregator
