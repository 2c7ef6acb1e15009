// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/base/clock.hpp"
#include "proto/base/database.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// One agent's configuration, as somebody wrote it at the centre.
struct KeptConfiguration {
  std::string site, agent;
  std::uint64_t number = 0;  ///< of the order that carries it; grows over all agents
  std::string text;          ///< TOML
  std::string by, comment;
  Timestamp at{};

  bool operator==(const KeptConfiguration&) const = default;
};

/// Every configuration that was ever given, in a file of its own (configurations.db). One thread at a time.
class ConfigurationBook {
 public:
  static Result<ConfigurationBook> open(const std::filesystem::path& folder);

  /// On disk when it returns. The number follows the clock, so that it also grows when the book was restored
  /// from a backup: agents take nothing that is not newer than what they heard.
  Result<KeptConfiguration> add(KeptConfiguration fresh);
  Result<std::optional<KeptConfiguration>> latest(const std::string& site, const std::string& agent) const;
  /// Newest first.
  Result<std::vector<KeptConfiguration>> history(const std::string& site, const std::string& agent,
                                                 std::size_t limit) const;
  /// Of every agent that was ever given one, the latest; without its text.
  Result<std::vector<KeptConfiguration>> all_latest() const;

 private:
  explicit ConfigurationBook(Database database) : database_{std::move(database)} {}
  Result<std::vector<KeptConfiguration>> read(Statement statement) const;
  Database database_;
};

}  // namespace watchroom::aggregator
