// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/identity_files.hpp"

namespace watchroom::agent {
std::optional<IdentityFiles> IdentityFiles::read(const std::filesystem::path& settings_file,
                                                 Problems& problems) {
  const auto table = SettingsTable::load(settings_file, problems);
  if (!table) return std::nullopt;
  const SettingsTable broker = table->table("broker");
  const auto path = [&](const char* name) { return broker.file(name, {.help = "", .must_exist = false}); };
  IdentityFiles files{table->text("site", {.help = ""}), table->text("agent", {.help = ""}), path("ca_file"),
                      path("certificate_file"), path("key_file")};
  if (!problems.empty()) return std::nullopt;
  return files;
}

KeyPairFiles IdentityFiles::pair() const { return {certificate, key}; }

}  // namespace watchroom::agent
