// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "agent/journal/journal_file.hpp"

namespace watchroom::agent {

/// Reads what can still be read of a damaged journal, past the damage. Changes nothing in the file.
class Salvage {
 public:
  /// Fails when not even the file's first page makes sense. `known_head` is the highest number that the
  /// caller knows to have been in it.
  static Result<Salvage> open(const std::filesystem::path& damaged, std::uint64_t known_head);

  /// What the file knew besides its records; what is damaged of it is empty.
  const JournalState& state() const { return state_; }
  /// Of the clock, as far as they can be read.
  const std::vector<ClockEra>& eras() const { return eras_; }
  /// The next records that not every host has, at most `most`, in order; none when that was all.
  std::vector<JournalRecord> next(std::size_t most);
  /// Numbers that were passed over because nothing readable was found there, and which some host lacks.
  const RecordSet& unreadable() const { return unreadable_; }

 private:
  Salvage(std::unique_ptr<JournalFile> file, std::uint64_t known_head);
  bool is_readable_at(std::uint64_t number);
  void skip_damage();
  void give_up(std::uint64_t first, std::uint64_t last);

  std::unique_ptr<JournalFile> file_;
  JournalState state_;
  std::vector<ClockEra> eras_;
  RecordSet settled_;
  RecordSet unreadable_;
  std::uint64_t cursor_ = 1;
};

}  // namespace watchroom::agent
