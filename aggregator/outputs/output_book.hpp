// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>

#include "aggregator/outputs/outputs.hpp"
#include "proto/base/database.hpp"

namespace watchroom::aggregator {

/// Every order that was ever given to an output, in a file of its own (outputs.db). One thread at a time.
class OutputBook {
 public:
  static Result<OutputBook> open(const std::filesystem::path& folder);

  /// On disk when it returns. The number follows the clock, so that it also grows when the book was restored
  /// from a backup: agents take nothing that is not newer than what they heard.
  Result<KeptOrder> add(KeptOrder fresh);
  /// Its progress.
  Result<void> update(const KeptOrder& order);
  /// Of every output the last one, and those before it that something may still become of; by number.
  Result<std::vector<KeptOrder>> unfinished() const;
  /// Newest first.
  Result<std::vector<KeptOrder>> history(const OutputPlace& place, std::size_t limit) const;

 private:
  explicit OutputBook(Database database) : database_{std::move(database)} {}
  Result<std::vector<KeptOrder>> read(Statement statement) const;
  Database database_;
};

}  // namespace watchroom::aggregator
