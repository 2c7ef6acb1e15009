// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/salvage.hpp"

#include <algorithm>
#include <limits>

namespace watchroom::agent {
namespace {

constexpr std::uint64_t beyond_every_number = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t farthest_jump = 1ull << 40;

}  // namespace

Result<Salvage> Salvage::open(const std::filesystem::path& damaged, std::uint64_t known_head) {
  auto file = JournalFile::open_damaged(damaged);
  if (!file) return file.error();
  return Salvage{*std::move(file), known_head};
}

Salvage::Salvage(std::unique_ptr<JournalFile> file, std::uint64_t known_head)
    : file_{std::move(file)}, state_{file_->load_what_is_left()} {
  state_.head = std::max(state_.head, known_head);
  if (auto eras = file_->eras()) eras_ = *std::move(eras);
  std::optional<RecordSet> common;
  for (const auto& [host, records] : state_.acknowledged)
    common = common ? common->common_with(records) : records;
  settled_ = common.value_or(RecordSet{});
}

std::vector<JournalRecord> Salvage::next(std::size_t most) {
  std::size_t wanted = most;
  while (cursor_ < beyond_every_number) {
    auto found = file_->read({cursor_, beyond_every_number - 1}, wanted);
    if (!found && wanted > 1) {
      wanted = 1;  // up to the damage one by one
      continue;
    }
    if (!found) {
      skip_damage();
      wanted = most;
      continue;
    }
    if (found->next == beyond_every_number) {
      std::uint64_t last = cursor_ - 1;
      if (!found->records.empty()) last = found->records.back().number;
      if (!found->damaged.empty()) last = std::max(last, found->damaged.back());
      give_up(last + 1, state_.head);
    }
    cursor_ = found->next;
    for (const std::uint64_t number : found->damaged) give_up(number, number);
    std::erase_if(found->records,
                  [this](const JournalRecord& record) { return settled_.contains(record.number); });
    if (!found->records.empty()) return std::move(found->records);
  }
  return {};
}

bool Salvage::is_readable_at(std::uint64_t number) {
  return bool{file_->read({number, beyond_every_number - 1}, 1)};
}

/// The damage ends at the first number from which reading works again: found by growing steps, then by
/// halves.
void Salvage::skip_damage() {
  std::uint64_t step = 1;
  while (step < farthest_jump && !is_readable_at(cursor_ + step)) step *= 2;
  if (step >= farthest_jump) {
    give_up(cursor_, state_.head);
    cursor_ = beyond_every_number;
    return;
  }
  std::uint64_t bad = cursor_ + step / 2;
  std::uint64_t good = cursor_ + step;
  while (good - bad > 1) {
    const std::uint64_t middle = bad + (good - bad) / 2;
    (is_readable_at(middle) ? good : bad) = middle;
  }
  give_up(cursor_, good - 1);
  cursor_ = good;
}

void Salvage::give_up(std::uint64_t first, std::uint64_t last) {
  if (first > last) return;
  for (const RecordRange& range : settled_.missing({first, last})) unreadable_.add(range.first, range.last);
}

}  // namespace watchroom::agent
