// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "proto/base/clock.hpp"

namespace watchroom::aggregator {

/// Secrets of one-time codes that were shown to somebody and not confirmed with a code yet. Each belongs to
/// the log-in cookie that asked for it, is forgotten after ten minutes, and is in memory only. Thread-safe.
/// `clock` must outlive it.
class PendingTotp {
 public:
  explicit PendingTotp(const Clock& clock) : clock_{clock} {}

  static constexpr std::chrono::minutes forgotten_after{10};

  /// A new secret, in base32; the one that was asked for with the same cookie is forgotten.
  std::string begin(const std::string& session_sha256);
  std::optional<std::string> of(std::string_view session_sha256);
  void forget(std::string_view session_sha256);

 private:
  struct Entry {
    std::string secret;
    Steady ends_at;
  };
  void drop_old();

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> by_session_;  // under mutex_
};

}  // namespace watchroom::aggregator
