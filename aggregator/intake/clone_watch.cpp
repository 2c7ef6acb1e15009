// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/intake/clone_watch.hpp"

#include <algorithm>
#include <set>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

// Longer than the longest pause before an agent connects again ([broker] reconnect_max_ms: 10 min at most).
constexpr auto window = 15min;
constexpr std::size_t most_kept = 16;
constexpr std::ptrdiff_t least_steps_back = 3;
constexpr std::size_t least_journals = 2;

}  // namespace

/// Sparkplug 3.0.0, topics-nbirth-bdseq-increment: one more with each CONNECT, 255 is followed by 0; a
/// rebirth repeats it, but not after the death that it announced.
bool CloneWatch::steps_back(const Life& life, std::uint64_t head, std::optional<std::int64_t> bd_seq) {
  if (head < life.head) return true;
  if (!bd_seq || !life.bd_seq) return false;
  const auto step = static_cast<std::uint8_t>(*bd_seq - *life.bd_seq);
  constexpr std::uint8_t half_way = 128;
  return step >= half_way || (step == 0 && life.has_died);
}

void CloneWatch::born(const JournalId& journal, std::uint64_t head, std::optional<std::int64_t> bd_seq,
                      Steady now) {
  if (!began_) began_ = now;
  const auto known = lives_.find(journal);
  if (known != lives_.end()) {
    const bool is_return = current_ && *current_ != journal;
    if (is_return || steps_back(known->second, head, bd_seq)) oddities_.push_back({now, journal, is_return});
    if (oddities_.size() > most_kept) oddities_.pop_front();
  }
  current_ = journal;
  lives_[journal] = {head, bd_seq, false, now};
  if (lives_.size() <= most_kept) return;
  lives_.erase(std::min_element(lives_.begin(), lives_.end(),
                                [](const auto& a, const auto& b) { return a.second.seen < b.second.seen; }));
}

void CloneWatch::died() {
  if (current_) lives_[*current_].has_died = true;
}

CloneWatch::Finding CloneWatch::finding(Steady now) const {
  std::set<JournalId> returned;
  std::ptrdiff_t steps_back = 0;
  for (const Oddity& oddity : oddities_) {
    if (now - oddity.at >= window) continue;
    if (oddity.is_return)
      returned.insert(oddity.journal);
    else
      ++steps_back;
  }
  if (returned.size() >= least_journals || steps_back >= least_steps_back) return Finding::cloned;
  return began_ && now - *began_ >= window ? Finding::none : Finding::unknown;
}

}  // namespace watchroom::aggregator
