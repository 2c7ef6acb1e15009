// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/live/agent_identities.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// mosquitto's rules (mosquitto.conf(5), acl_file; the user is the certificate's common name): each admitted
/// agent speaks and hears of its own site and name only, the centre of everything; then `more`, as it is.
std::string access_rules(const std::string& host_id, const std::vector<AgentIdentity>& admitted,
                         std::string_view more);

/// ca.pem, crl.pem and acl in a folder that mosquitto reads, each replaced whole.
class BrokerFiles {
 public:
  BrokerFiles(std::filesystem::path folder, std::optional<std::filesystem::path> pid_file)
      : folder_{std::move(folder)}, pid_file_{std::move(pid_file)} {}

  /// True: it was different before.
  Result<bool> write_authority(std::string_view pem) const;
  Result<bool> write_rules(std::string_view text) const;
  Result<bool> write_revocation_list(std::string_view pem) const;
  /// Nothing when there is none that can be read.
  std::optional<std::string> revocation_list() const;

  /// SIGHUP to the broker. Errc::not_found: the pid file leads to none, so nobody was told. Without a pid
  /// file somebody else tells it.
  Result<void> reload() const;

 private:
  Result<bool> write(const std::string& name, std::string_view text, unsigned mode) const;

  const std::filesystem::path folder_;
  const std::optional<std::filesystem::path> pid_file_;
};

}  // namespace watchroom::aggregator
