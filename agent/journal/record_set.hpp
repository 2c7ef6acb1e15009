// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace watchroom::agent {

/// From `first` to `last`, both included.
struct RecordRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool operator==(const RecordRange&) const = default;
};

/// A set of record numbers, kept as ranges that neither touch nor overlap: a backlog of a million records is
/// one range. Pure.
class RecordSet {
 public:
  /// Does nothing when `first` is above `last`.
  void add(std::uint64_t first, std::uint64_t last);
  void remove(std::uint64_t first, std::uint64_t last);
  void clear() { ranges_.clear(); }

  bool empty() const { return ranges_.empty(); }
  bool contains(std::uint64_t number) const;
  std::uint64_t count() const;
  /// Only when not empty.
  std::uint64_t lowest() const { return ranges_.begin()->first; }
  std::vector<RecordRange> ranges() const;
  /// What of `within` is not in the set.
  std::vector<RecordRange> missing(RecordRange within) const;
  RecordSet common_with(const RecordSet& other) const;

  bool operator==(const RecordSet&) const = default;

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;  // first -> last
};

}  // namespace watchroom::agent
