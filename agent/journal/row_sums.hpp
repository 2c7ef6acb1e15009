// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// The checksums of the rows of a journal file. Only for the sources of JournalFile.
#pragma once

#include "agent/journal/checksum.hpp"
#include "agent/journal/journal_file.hpp"

namespace watchroom::agent {

inline std::int64_t signed_of(std::uint64_t number) { return static_cast<std::int64_t>(number); }
inline std::uint64_t unsigned_of(std::int64_t number) { return static_cast<std::uint64_t>(number); }

inline std::int64_t sum_of(const JournalRecord& record) {
  Checksum sum;
  sum.add(record.number).add(unsigned_of(to_ms(record.at))).add(record.device).add(record.payload);
  if (record.era != 0) sum.add(unsigned_of(record.era));
  return sum.value();
}
inline std::int64_t sum_of_setting(std::string_view name, std::string_view value) {
  return Checksum{}.add(name).add(value).value();
}
inline std::int64_t sum_of_acknowledged(std::string_view host, RecordRange range) {
  return Checksum{}.add(host).add(range.first).add(range.last).value();
}
inline bool fits(const Statement& row, int column, std::int64_t sum) {
  return row.is_null(column) || row.integer(column) == sum;
}

}  // namespace watchroom::agent
