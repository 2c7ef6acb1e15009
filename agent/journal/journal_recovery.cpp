// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <limits>

#include <fcntl.h>
#include <unistd.h>

#include "agent/journal/journal.hpp"
#include "agent/journal/salvage.hpp"

// How a journal gets its file: at the start, after damage, and when the disk comes back.
namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// Doubled each time it fails: to save what is in a damaged file writes much, on a disk that may be full.
constexpr std::chrono::milliseconds first_leave_memory_wait = 3min;
constexpr std::chrono::milliseconds longest_leave_memory_wait = 48min;
constexpr int most_kept_aside = 3;
constexpr std::size_t salvaged_at_once = 1000;

constexpr const char* parts[] = {"-wal", "-shm", ""};

/// A few are kept; then the oldest makes room.
std::string name_aside(const std::filesystem::path& file) {
  std::error_code error;
  std::string oldest;
  for (int i = 1; i <= most_kept_aside; ++i) {
    std::string name = fmt::format("{}.corrupt-{}", file.string(), i);
    if (!std::filesystem::exists(name, error)) return name;
    if (oldest.empty() ||
        std::filesystem::last_write_time(name, error) < std::filesystem::last_write_time(oldest, error))
      oldest = name;
  }
  return oldest;
}

void remove_database(const std::string& file) {
  std::error_code error;
  for (const char* part : parts) std::filesystem::remove(file + part, error);
}

/// So that a power cut does not take it back.
Result<void> rename_for_good(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (error) return fail(Errc::io, Retry::later, "{}: {}", from.string(), error.message());
  const int folder = ::open(to.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return {};
  ::fsync(folder);
  ::close(folder);
  return {};
}

std::deque<JournalRecord> numbered_from(std::uint64_t first, std::vector<JournalRecord> records) {
  for (JournalRecord& record : records) record.number = first++;
  return {std::make_move_iterator(records.begin()), std::make_move_iterator(records.end())};
}

}  // namespace

void Journal::open_file() {
  if (auto opened = use_file_or_begin_anew(); !opened) live_in_memory(opened.error());
}

Result<void> Journal::use_file_or_begin_anew() {
  if (auto held = folder_.take(path_.parent_path()); !held) return held;
  if (auto replaced = put_saved_in_place(); !replaced) return replaced;
  auto used = use(path_);
  if (used || used.error().code != Errc::corrupt) return used;
  return begin_anew(used.error(), {});
}

/// Changes nothing when it fails.
Result<void> Journal::use(const std::filesystem::path& where) {
  auto file = JournalFile::open(where);
  if (!file) return file.error();
  auto state = (*file)->load();
  if (!state) return state.error();
  file_ = *std::move(file);
  adopt(*std::move(state));
  return {};
}

void Journal::adopt(JournalState loaded) {
  deleted_ = loaded.gone;
  oldest_at_.reset();
  std::map<std::string, RecordSet> configured;
  for (const std::string& host : settings_.ack_hosts) {
    RecordSet records = loaded.acknowledged[host];
    // A host that is new in the configuration lacks nothing that is already gone.
    for (const RecordRange& range : deleted_.ranges()) records.add(range.first, range.last);
    configured[host] = std::move(records);
  }
  loaded.acknowledged = std::move(configured);
  loaded.moved_aside = std::max(state_.moved_aside, loaded.moved_aside);
  if (state_.bd_seq) loaded.bd_seq = state_.bd_seq;
  loaded.known_time = std::max(state_.known_time, loaded.known_time);
  for (const auto& [device, name] : state_.classes) loaded.classes[device] = name;
  state_ = std::move(loaded);
  load_eras();
  number_pending();
  refresh_oldest();
}

/// What was learned while another file was in use goes into this one.
void Journal::load_eras() {
  for (const auto& [number, era] : eras_.all()) unsaved_eras_.insert(number);
  static_cast<void>(file_->forget_eras());  // a few rows more do no harm
  const auto known = file_->eras();
  if (!known) return;  // their records' times are then taken as they are
  for (const ClockEra& era : *known)
    if (!eras_.all().contains(era.number)) eras_.add(era);
}

void Journal::number_pending() {
  seal();
  last_appended_ = state_.head;
  for (JournalRecord& record : pending_) record.number = ++last_appended_;
}

void Journal::live_in_memory(const Error& why) {
  log_.error("no journal on disk, records are kept in memory only and are lost at a restart: {}", why.text);
  is_durable_ = false;
  leave_memory_wait_ = first_leave_memory_wait;
  leave_memory_at_ = clock_.steady() + leave_memory_wait_;
  const std::uint64_t lost = state_.lost;
  lost_before_memory_ = lost;
  // A journal in memory cannot fail but for want of memory, and then the process is lost anyway.
  if (auto in_memory = use(":memory:"); !in_memory) std::abort();
  state_.lost = lost;
}

/// Tries the disk again; what was kept in memory moves there under new numbers.
void Journal::leave_memory() {
  leave_memory_wait_ = std::min(2 * leave_memory_wait_, longest_leave_memory_wait);
  leave_memory_at_ = clock_.steady() + leave_memory_wait_;
  auto kept = read({1, head()}, std::numeric_limits<std::int64_t>::max(), {});
  auto in_memory = std::move(file_);
  JournalState before = state_;
  before.gone = deleted_;
  const auto opened = use_file_or_begin_anew();
  if (!opened) {
    file_ = std::move(in_memory);
    adopt(before);
    return;
  }
  is_durable_ = true;
  leave_memory_at_.reset();
  state_.lost = std::max(state_.lost, lost_before_memory_) + before.lost - lost_before_memory_;
  if (kept) {
    for (const JournalRecord& record : *kept) pending_bytes_ += record.size_in_memory();
    pending_.insert(pending_.begin(), std::make_move_iterator(kept->begin()),
                    std::make_move_iterator(kept->end()));
  }
  number_pending();
  if (auto stored = file_->store_state(state_); !stored)
    log_.warning("its counts cannot be stored: {}", stored.error().text);
  log_.info("the journal is on disk again; {} records from memory follow", pending_.size());
}

/// A file that turned out to be damaged while it was in use.
void Journal::replace_file(const Error& why) {
  const JournalState before = state_;
  if (auto begun = begin_anew(why, before); !begun) live_in_memory(begun.error());
}

/// A new file with a new id and what can still be read of the damaged one. `before` is what was known of
/// that. Until all of it is saved the damaged file stays where it is: whatever breaks this off, it begins
/// again. Changes nothing when it fails.
Result<void> Journal::begin_anew(const Error& why, const JournalState& before) {
  log_.error("the journal is damaged ({}); what can still be read of it goes into a new one", why.text);
  const auto unsent = missing({1, before.head}, {});
  const JournalState restored = state_;
  file_.reset();
  const std::string fresh = path_.string() + ".new";
  remove_database(fresh);
  auto saved = use(fresh);
  if (saved) {
    state_.lost = before.lost;
    ++state_.moved_aside;
    saved = salvage_from(path_, before.head, unsent);
  }
  if (saved) saved = file_->store_state(state_);
  if (saved) saved = file_->fold();
  file_.reset();
  if (saved) saved = rename_for_good(fresh, saved_path());
  if (saved) saved = put_saved_in_place();
  if (saved) saved = use(path_);
  if (!saved) {
    state_ = restored;
    return in(saved.error(), "damaged, and what is in it cannot be saved");
  }
  troubles_.clear();
  return {};
}

std::filesystem::path Journal::saved_path() const { return path_.string() + ".saved"; }

/// What was saved of a damaged file takes its place; that is moved aside.
Result<void> Journal::put_saved_in_place() {
  std::error_code error;
  if (!std::filesystem::exists(saved_path(), error)) return {};
  const std::string aside = name_aside(path_);
  // The log before the file: a log that stays behind would be played into the new file.
  for (const char* part : parts) {
    std::filesystem::remove(aside + part, error);
    if (!std::filesystem::exists(path_.string() + part, error)) continue;
    if (auto moved = rename_for_good(path_.string() + part, aside + part); !moved) return moved;
  }
  log_.error("the damaged journal was moved aside as {}", aside);
  return rename_for_good(saved_path(), path_);
}

Result<void> Journal::salvage_from(const std::filesystem::path& damaged, std::uint64_t known_head,
                                   const std::vector<RecordRange>& unsent) {
  auto salvage = Salvage::open(damaged, known_head);
  // What is on a disk that fails for now may be read later: a full one has no room for the reader's index.
  if (!salvage && salvage.error().retry == Retry::later) return salvage.error();
  if (!salvage) {
    for (const RecordRange& range : unsent) state_.lost += range.last - range.first + 1;
    log_.error("nothing of it can be read ({}): {} records are lost", salvage.error().text, state_.lost);
    return {};
  }
  const JournalState& known = salvage->state();
  state_.lost = std::max(state_.lost, known.lost);
  state_.moved_aside = std::max(state_.moved_aside, known.moved_aside + 1);
  if (!state_.bd_seq) state_.bd_seq = known.bd_seq;
  state_.known_time = std::max(state_.known_time, known.known_time);
  state_.classes.insert(known.classes.begin(), known.classes.end());
  std::vector<ClockEra> eras;
  for (const ClockEra& era : salvage->eras()) {
    if (!eras_.all().contains(era.number)) eras_.add(era);
    eras.push_back(eras_.all().at(era.number));
  }
  std::uint64_t saved = 0;
  for (auto batch = salvage->next(salvaged_at_once); !batch.empty();
       batch = salvage->next(salvaged_at_once)) {
    const std::deque<JournalRecord> records = numbered_from(state_.head + 1, std::move(batch));
    if (auto written = file_->write(records, state_, std::exchange(eras, {}), {}); !written) return written;
    state_.head = records.back().number;
    saved += records.size();
  }
  state_.lost += salvage->unreadable().count();
  for (const RecordRange& range : salvage->unreadable().ranges())
    log_.error("its records {} to {} cannot be read and are lost", range.first, range.last);
  log_.info("{} records were saved from it", saved);
  return {};
}

}  // namespace watchroom::agent
