// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>

#include "aggregator/audit/audit_log.hpp"
#include "aggregator/authority/enrolment_settings.hpp"
#include "aggregator/core/aggregator.hpp"
#include "aggregator/identity/users.hpp"
#include "aggregator/web/web_settings.hpp"

namespace watchroom::aggregator {

/// The whole of aggregator.toml.
struct ProgramSettings {
  AggregatorSettings aggregator;
  WebSettings web;
  Regions regions;
  std::optional<EnrolmentSettings> enrolment;
  AuditLog::Limits audit;

  static ProgramSettings read(const SettingsTable& table);
  /// Nothing when there is a problem, in the users file too; all of them are in `problems`.
  static std::optional<ProgramSettings> load(const std::string& file, Problems& problems);
};

}  // namespace watchroom::aggregator
