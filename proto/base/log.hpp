// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace watchroom {

enum class LogLevel { debug, info, warning, error };

/// Where lines go: standard error (journald adds the rest). Thread-safe. A Log is a cheap handle with a tag;
/// log once, where the decision is taken, and only when the state changes.
class Log {
 public:
  /// Lines below `level` are dropped.
  static Log to_stderr(LogLevel level);
  /// For tests that do not look at the log.
  static Log quiet();

  /// The same log under another tag, e.g. "link" or "modbus".
  Log tagged(std::string_view tag) const;

  template <typename... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    if (wants(LogLevel::debug)) write(LogLevel::debug, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    if (wants(LogLevel::info)) write(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) const {
    if (wants(LogLevel::warning)) write(LogLevel::warning, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    if (wants(LogLevel::error)) write(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  class Sink;
  bool wants(LogLevel level) const;
  void write(LogLevel level, std::string_view text) const;

  // Shared by every handle of one log: the last one closes it.
  std::shared_ptr<Sink> sink_;
  std::string tag_;
};

}  // namespace watchroom
