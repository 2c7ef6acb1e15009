// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <string>

#include "aggregator/authority/authority.hpp"
#include "proto/link/mqtt_session.hpp"

namespace watchroom::aggregator {

/// Ends the broker session of an agent or program that was revoked. The broker keeps a session it has let in
/// whatever its list says since, and ends it only for another with the same client id: so we come under its
/// name, with a certificate of some minutes, and stay until it is sure that it does not come back.
class SessionCutter {
 public:
  /// `folder` is for the certificate of those minutes.
  SessionCutter(Authority& authority, BrokerSettings broker, std::filesystem::path folder, Log log);

  /// Takes some seconds. Errc::refused: somebody still gets in under that name; any error: try again.
  Result<void> cut(const std::string& site, const std::string& agent);
  /// Of another program, where the listener makes the common name the client id.
  Result<void> cut_program(const std::string& common_name);

 private:
  Result<void> cut(const std::string& common_name, const std::string& client_id, const std::string& who);

  Authority& authority_;
  const BrokerSettings broker_;
  const std::filesystem::path folder_;
  const Log log_;
};

}  // namespace watchroom::aggregator
