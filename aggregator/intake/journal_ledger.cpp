// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/intake/journal_ledger.hpp"

#include <algorithm>

namespace watchroom::aggregator {

Result<JournalLedger> JournalLedger::restore(JournalId journal, std::int64_t generation,
                                             std::uint64_t cumulative, const std::string& ranges,
                                             std::uint64_t missing) {
  // The acknowledgement's own grammar, so that there is one reader of ranges.
  const auto parsed =
      JournalAck::parse(fmt::format("{} restored {} {}", to_hex(journal), cumulative, ranges));
  if (!parsed) return parsed.error();
  JournalLedger ledger{journal, generation};
  ledger.cumulative_ = cumulative;
  ledger.missing_ = missing;
  for (const auto& [first, last] : parsed->ranges) ledger.ranges_.emplace(first, last);
  ledger.absorb();
  return ledger;
}

JournalLedger::Outcome JournalLedger::note(std::uint64_t record, std::uint64_t oldest_available) {
  give_up_below(oldest_available);
  if (record <= cumulative_) return Outcome::duplicate;
  auto after = ranges_.upper_bound(record);
  if (after != ranges_.begin()) {
    auto before = std::prev(after);
    if (record <= before->second) return Outcome::duplicate;
    if (record == before->second + 1) {
      before->second = record;
      if (after != ranges_.end() && after->first == record + 1) {
        before->second = after->second;
        ranges_.erase(after);
      }
      absorb();
      return Outcome::fresh;
    }
  }
  if (after != ranges_.end() && after->first == record + 1) {
    const std::uint64_t last = after->second;
    ranges_.erase(after);
    ranges_.emplace(record, last);
  } else {
    ranges_.emplace(record, record);
  }
  absorb();
  return Outcome::fresh;
}

void JournalLedger::give_up_below(std::uint64_t oldest_available) {
  while (cumulative_ + 1 < oldest_available) {
    const auto next = ranges_.begin();
    const std::uint64_t gap_end =
        next == ranges_.end() ? oldest_available : std::min(next->first, oldest_available);
    missing_ += gap_end - cumulative_ - 1;
    cumulative_ = gap_end - 1;
    absorb();
  }
}

void JournalLedger::absorb() {
  while (!ranges_.empty() && ranges_.begin()->first <= cumulative_ + 1) {
    cumulative_ = std::max(cumulative_, ranges_.begin()->second);
    ranges_.erase(ranges_.begin());
  }
}

std::string JournalLedger::ranges_text() const {
  std::string text;
  for (const auto& [first, last] : ranges_)
    text += fmt::format("{}{}-{}", text.empty() ? "" : " ", first, last);
  return text;
}

JournalAck JournalLedger::ack(const std::string& host_id, std::size_t most_ranges) const {
  JournalAck ack{journal_, host_id, cumulative_, {}};
  for (const auto& range : ranges_) {
    if (ack.ranges.size() >= most_ranges) break;
    ack.ranges.push_back(range);
  }
  return ack;
}

}  // namespace watchroom::aggregator
