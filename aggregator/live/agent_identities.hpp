// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// What may be told of an agent's certificates.
struct AgentIdentity {
  std::string site, agent;
  std::string common_name;
  std::string state;   ///< "invited" (a token is out, no certificate yet), "valid", "expired", "revoked"
  std::string serial;  ///< of the newest certificate
  std::optional<Timestamp> valid_until = {};
  std::optional<Timestamp> revoked_at = {};
  std::string reason = {};                      ///< of the revocation
  std::optional<Timestamp> invited_until = {};  ///< a token is out that has not been used
};

/// The right to be certified once. `token` is shown now and never again.
struct Invitation {
  std::string site, agent;
  std::string token;
  std::string url;  ///< where the agent enrols
  Timestamp expires_at{};
};

/// Who asks, for the audit trail.
struct Asker {
  std::string name;
  std::string address;
};

/// The certificates of agents as web and command line see them. Thread-safe; calls wait for the disk.
class AgentIdentities {
 public:
  AgentIdentities() = default;
  AgentIdentities(const AgentIdentities&) = delete;
  AgentIdentities& operator=(const AgentIdentities&) = delete;
  virtual ~AgentIdentities() = default;

  virtual Result<std::vector<AgentIdentity>> identities() const = 0;
  virtual Result<Invitation> invite(const std::string& site, const std::string& agent,
                                    std::chrono::hours valid_for, const Asker& by) = 0;
  /// Ends every certificate and token of that agent. Errc::not_found when there is none.
  virtual Result<AgentIdentity> revoke(const std::string& site, const std::string& agent,
                                       const std::string& reason, const Asker& by) = 0;
};

/// For a house whose certificates come from elsewhere: there is no [enrolment] in its settings.
class NoAgentIdentities final : public AgentIdentities {
 public:
  Result<std::vector<AgentIdentity>> identities() const override { return std::vector<AgentIdentity>{}; }
  Result<Invitation> invite(const std::string&, const std::string&, std::chrono::hours,
                            const Asker&) override {
    return none();
  }
  Result<AgentIdentity> revoke(const std::string&, const std::string&, const std::string&,
                               const Asker&) override {
    return none();
  }

 private:
  static Error none() {
    return fail(Errc::not_found, Retry::never,
                "aggregator.toml has no [enrolment]: this centre certifies nobody");
  }
};

}  // namespace watchroom::aggregator
