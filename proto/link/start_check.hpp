// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "proto/base/clock.hpp"
#include "proto/base/settings.hpp"
#include "proto/link/mqtt_session.hpp"

namespace watchroom {

/// What will keep a program from starting, or from serving for long, although its settings are right: as far
/// as one can know without network, and without changing anything.
struct StartFinding {
  bool is_fatal = false;  ///< it will not start
  std::string field;      ///< "broker.key_file"
  std::string text;       ///< Chinese / English: the file, and what was expected
};
using StartFindings = std::vector<StartFinding>;

/// A certificate and its key, as a table of the settings names them.
struct CheckedPair {
  std::string certificate_field, key_field;
  std::filesystem::path certificate, key;
  std::string ca_field = {};
  std::optional<std::filesystem::path> ca = {};  ///< that should have signed the certificate
  bool is_needed = true;                         ///< without it the program will not start
  bool renews_itself = false;                    ///< at two thirds of its life
};

void check_pair(const CheckedPair& pair, Timestamp now, StartFindings& findings);
/// The pair of the [broker] table.
void check_broker(const BrokerSettings& broker, bool renews_itself, Timestamp now, StartFindings& findings);
/// A folder that the user who asks should be able to write to, or to make.
void check_folder(const std::string& field, const std::filesystem::path& folder, bool is_needed,
                  StartFindings& findings);

/// Tells what `check` found, in one way for every program. `facts` go into the JSON. The exit code: 1 when
/// the program will not start.
int report_check(const std::filesystem::path& settings_file, const std::string& summary,
                 const nlohmann::ordered_json& facts, const StartFindings& findings,
                 const std::vector<Problem>& warnings, bool is_json);

}  // namespace watchroom
