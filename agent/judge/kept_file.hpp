// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>

#include "agent/judge/judge.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// What the judge must find again after a restart: who inhibits until when, and what is latched. An inhibit
/// never lasts longer than it was granted, also where the clock begins in 1970.
class KeptFile {
 public:
  explicit KeptFile(std::filesystem::path file);

  /// Errc::not_found: there is none yet.
  Result<KeptByJudge> read(Instant now) const;
  Result<void> write(const KeptByJudge& kept) const;

 private:
  const std::filesystem::path file_;
  const std::string boot_;  // steady time is the same within one
};

}  // namespace watchroom::agent
