// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>

#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// How far records are safe. The numbers go over the wire.
enum class JournalHealth : std::int64_t {
  durable = 0,      ///< what is committed survives a power cut
  memory_only = 1,  ///< no file can be had: a restart loses what no host has yet
  failing = 2,      ///< the file is there and does not take what it should
};

/// What the journal holds and has done, at one moment; counts are since the start, unless they say otherwise.
struct JournalFigures {
  JournalHealth health = JournalHealth::durable;
  std::uint64_t waiting = 0;             ///< records that some host does not have yet
  std::optional<Timestamp> oldest_at{};  ///< of those, when the oldest was appended
  std::uint64_t file_bytes = 0;
  std::uint64_t memory_bytes = 0;  ///< of records that are not on disk yet
  std::uint64_t appended = 0;
  std::uint64_t commits = 0;
  std::uint64_t committed_bytes = 0;
  std::uint64_t failed_commits = 0;
  std::uint64_t lost = 0;        ///< ever
  std::int64_t moved_aside = 0;  ///< ever
};

}  // namespace watchroom::agent
