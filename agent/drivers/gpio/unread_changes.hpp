// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>

namespace watchroom::agent {

/// A contact that has settled, and how often it has changed since we watch it.
struct SettledLevel {
  bool level = false;
  std::uint64_t changes = 0;
};

/// What one reader has seen of one contact. A contact that went and came back between two readings is shown
/// gone first, so that no short closing goes unseen; several such times in between are shown as one. Pure.
class UnreadChanges {
 public:
  struct Shown {
    bool level;
    bool is_all;  ///< false: read again, the level is another by now
  };

  Shown show(const SettledLevel& contact) {
    const std::uint64_t unread = contact.changes - told_.value_or(contact.changes);
    const bool came_back = unread > 0 && unread % 2 == 0;
    told_ = came_back ? contact.changes - 1 : contact.changes;
    return {came_back ? !contact.level : contact.level, !came_back};
  }

 private:
  std::optional<std::uint64_t> told_;
};

}  // namespace watchroom::agent
