// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/journal.hpp"

#include <algorithm>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// Acknowledgements arrive each second; storing each would cost a commit, 4 to 8 kB of flash. Until they are
// stored the records are kept, so that a crash costs duplicates, which hosts drop.
constexpr auto forget_interval = 30s;
constexpr std::uint64_t forget_records = 5000;
constexpr auto retry_interval = 5s;
constexpr auto bounds_interval = 60s;
constexpr auto tell_lost_interval = 10min;
// A wall clock that jumps ahead for a moment must not cost the whole backlog.
constexpr std::size_t most_aged_at_once = 1000;
constexpr std::uint64_t most_dropped_at_once = 1000;
constexpr int most_kept_aside = 3;
// Stands for the broker when no host acknowledges.
constexpr const char* broker_as_host = "";

}  // namespace

std::unique_ptr<Journal> Journal::open(const std::filesystem::path& file, JournalSettings settings,
                                       const Clock& clock, Log log) {
  if (settings.ack_hosts.empty()) settings.ack_hosts = {broker_as_host};
  std::unique_ptr<Journal> journal{new Journal{file, std::move(settings), clock, std::move(log)}};
  journal->open_file();
  return journal;
}

Journal::Journal(std::filesystem::path file, JournalSettings settings, const Clock& clock, Log log)
    : path_{std::move(file)}, settings_{std::move(settings)}, clock_{clock}, log_{std::move(log)} {}

Journal::~Journal() {
  forget_at_ = clock_.steady();
  static_cast<void>(commit());
}

void Journal::open_file() {
  const auto try_open = [this](const std::filesystem::path& where) -> Result<void> {
    auto file = JournalFile::open(where);
    if (!file) return file.error();
    auto state = (*file)->load();
    if (!state) return state.error();
    file_ = *std::move(file);
    adopt(*std::move(state));
    return {};
  };
  Result<void> opened = try_open(path_);
  if (!opened && opened.error().code == Errc::corrupt) {
    move_aside(opened.error());
    return;
  }
  if (opened) return;
  log_.error("no journal on disk, records are kept in memory only and are lost at a restart: {}",
             opened.error().text);
  is_durable_ = false;
  // A journal in memory cannot fail but for want of memory, and then the process is lost anyway.
  if (auto in_memory = try_open(":memory:"); !in_memory) std::abort();
}

void Journal::adopt(JournalState loaded) {
  // A host that is new in the configuration lacks nothing that is already gone.
  std::optional<RecordSet> gone;
  for (const auto& [host, records] : loaded.acknowledged) gone = gone ? gone->common_with(records) : records;
  deleted_ = gone.value_or(RecordSet{});
  deleted_.add(1, loaded.first == 0 ? loaded.head : loaded.first - 1);
  std::map<std::string, RecordSet> configured;
  for (const std::string& host : settings_.ack_hosts) {
    const auto known = loaded.acknowledged.find(host);
    RecordSet records = known == loaded.acknowledged.end() ? RecordSet{} : known->second;
    for (const RecordRange& range : deleted_.ranges()) records.add(range.first, range.last);
    configured[host] = std::move(records);
  }
  const std::int64_t moved_aside = std::max(state_.moved_aside, loaded.moved_aside);
  state_ = std::move(loaded);
  state_.acknowledged = std::move(configured);
  state_.moved_aside = moved_aside;
  std::uint64_t number = state_.head;
  for (JournalRecord& record : pending_) record.number = ++number;
  last_appended_ = number;
  refresh_oldest();
}

void Journal::move_aside(const Error& why) {
  file_.reset();
  const std::int64_t count = ++state_.moved_aside;
  const std::optional<std::uint8_t> bd_seq = state_.bd_seq;
  const std::string aside = fmt::format("{}.corrupt-{}", path_.string(), (count - 1) % most_kept_aside + 1);
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(aside + suffix, ignored);
    std::filesystem::rename(path_.string() + suffix, aside + suffix, ignored);
    std::filesystem::remove(path_.string() + suffix, ignored);
  }
  log_.error("the journal is damaged ({}); moved aside as {}: what it held and was not sent is not sent",
             why.text, aside);
  open_file();
  if (bd_seq) state_.bd_seq = bd_seq;
  if (!file_->store_moved_aside(count) || (bd_seq && !file_->store_bd_seq(*bd_seq)))
    log_.error("the new journal cannot be written");
}

std::uint64_t Journal::append(std::string device, std::string payload, Urgency urgency) {
  if (pending_.size() >= settings_.most_pending) {
    pending_.pop_front();
    ++lost_in_memory_;
  }
  pending_.push_back({++last_appended_, std::move(device), std::move(payload), clock_.now()});
  const Steady due =
      clock_.steady() + (urgency == Urgency::urgent ? settings_.urgent_commit : settings_.commit);
  commit_at_ = std::min(commit_at_.value_or(due), due);
  return last_appended_;
}

std::optional<Steady> Journal::deadline() const {
  if (is_failing_) return retry_at_;
  if (commit_at_ && forget_at_) return std::min(*commit_at_, *forget_at_);
  return commit_at_ ? commit_at_ : forget_at_;
}

Result<void> Journal::write_pending() {
  JournalState counts = state_;
  counts.lost += lost_in_memory_;
  return file_->append(pending_, counts);
}

Result<std::vector<JournalRecord>> Journal::commit() {
  if (!pending_.empty()) {
    Result<void> written = write_pending();
    if (!written && written.error().code == Errc::corrupt) {
      move_aside(written.error());
      written = write_pending();
    }
    if (!written) {
      note_failure(written.error());
      return written.error();
    }
  }
  if (is_failing_) log_.info("the journal takes records again; {} were lost meanwhile", lost_in_memory_);
  is_failing_ = false;
  commit_at_.reset();
  // What was dropped from memory left a hole below the first record that is still there.
  if (!pending_.empty() && pending_.front().number > state_.head + 1) {
    for (auto& [host, records] : state_.acknowledged)
      records.add(state_.head + 1, pending_.front().number - 1);
    deleted_.add(state_.head + 1, pending_.front().number - 1);
  }
  state_.lost += lost_in_memory_;
  lost_in_memory_ = 0;
  state_.head = last_appended_;
  std::vector<JournalRecord> committed{std::make_move_iterator(pending_.begin()),
                                       std::make_move_iterator(pending_.end())};
  pending_.clear();

  if (forget_at_ && clock_.steady() >= *forget_at_) {
    const auto forgotten = forget_acknowledged();
    forget_at_.reset();
    if (!forgotten) {
      log_.error("acknowledged records cannot be deleted: {}", forgotten.error().text);
      forget_at_ = clock_.steady() + forget_interval;
    }
  }
  keep_bounds();
  refresh_oldest();
  return committed;
}

void Journal::note_failure(const Error& error) {
  retry_at_ = clock_.steady() + retry_interval;
  if (is_failing_) return;
  is_failing_ = true;
  log_.error("the journal cannot be written, up to {} records wait in memory: {}", settings_.most_pending,
             error.text);
}

Result<void> Journal::acknowledge(const std::string& host, std::uint64_t cumulative,
                                  std::span<const RecordRange> ranges) {
  const auto found = state_.acknowledged.find(host);
  if (found == state_.acknowledged.end())
    return fail(Errc::not_authorized, Retry::never, "host \"{}\" is not one of ack_hosts", host);
  std::uint64_t highest = cumulative;
  for (const RecordRange& range : ranges) highest = std::max(highest, range.last);
  if (highest > head())
    return fail(Errc::invalid, Retry::never, "record {} is beyond the head {}", highest, head());
  found->second.add(1, cumulative);
  for (const RecordRange& range : ranges) found->second.add(range.first, range.last);
  refresh_oldest();
  const RecordSet settled = settled_for(settings_.ack_hosts);
  if (settled == deleted_) return {};
  const bool is_much = settled.count() - deleted_.count() >= forget_records;
  const Steady due = clock_.steady() + (is_much ? 0s : forget_interval);
  forget_at_ = std::min(forget_at_.value_or(due), due);
  return {};
}

void Journal::published(std::uint64_t number) {
  const RecordRange one{number, number};
  static_cast<void>(acknowledge(broker_as_host, 0, {&one, 1}));
}

Result<void> Journal::forget_acknowledged() {
  const RecordSet settled = settled_for(settings_.ack_hosts);
  std::vector<RecordRange> to_delete;
  for (const RecordRange& range : settled.ranges())
    for (const RecordRange& kept : deleted_.missing(range)) to_delete.push_back(kept);
  auto stored = file_->store_acknowledged(state_.acknowledged, to_delete, state_);
  if (stored) deleted_ = settled;
  return stored;
}

void Journal::keep_bounds() {
  while (true) {
    const auto size = file_->size_bytes();
    if (!size || *size <= settings_.max_size_bytes) break;
    const std::uint64_t some = std::clamp<std::uint64_t>((head() - oldest_) / 20, 1, most_dropped_at_once);
    const auto last = file_->last_of_oldest(some);
    if (!last || *last == 0) break;
    const std::uint64_t before = deleted_.count();
    drop_through(*last, "the journal is full");
    refresh_oldest();
    if (deleted_.count() == before) break;
  }
  if (bounds_at_ && clock_.steady() < *bounds_at_) return;
  bounds_at_ = clock_.steady() + bounds_interval;
  const auto last = file_->last_older_than(clock_.now() - settings_.max_age, most_aged_at_once);
  if (last && *last > 0) drop_through(*last, "records are too old");
}

void Journal::drop_through(std::uint64_t last, std::string_view why) {
  std::uint64_t unsent = 0;
  for (const RecordRange& range : missing({1, last}, {})) unsent += range.last - range.first + 1;
  JournalState after = state_;
  after.lost += unsent;
  if (auto dropped = file_->drop_through(last, after); !dropped) {
    log_.error("old records cannot be dropped: {}", dropped.error().text);
    return;
  }
  state_.lost = after.lost;
  if (unsent > 0 && (!tell_lost_at_ || clock_.steady() >= *tell_lost_at_)) {
    tell_lost_at_ = clock_.steady() + tell_lost_interval;
    log_.warning("{}: the oldest are dropped, up to number {}; {} lost so far", why, last, state_.lost);
  }
  for (auto& [host, records] : state_.acknowledged) records.add(1, last);
  deleted_.add(1, last);
}

Result<std::vector<JournalRecord>> Journal::read(RecordRange range, std::size_t most,
                                                 const std::vector<std::string>& hosts) {
  range.last = std::min(range.last, head());
  std::vector<JournalRecord> records;
  for (const RecordRange& wanted : missing(range, hosts)) {
    if (records.size() >= most) break;
    auto part = file_->read(wanted, most - records.size());
    if (!part && part.error().code == Errc::corrupt) move_aside(part.error());
    if (!part) return part.error();
    std::move(part->begin(), part->end(), std::back_inserter(records));
  }
  return records;
}

RecordSet Journal::settled_for(const std::vector<std::string>& hosts) const {
  std::optional<RecordSet> common;
  for (const std::string& host : hosts.empty() ? settings_.ack_hosts : hosts) {
    const auto found = state_.acknowledged.find(host);
    if (found == state_.acknowledged.end()) continue;
    common = common ? common->common_with(found->second) : found->second;
  }
  return common.value_or(RecordSet{});
}

std::vector<RecordRange> Journal::missing(RecordRange range, const std::vector<std::string>& hosts) const {
  if (range.first > range.last) return {};
  return settled_for(hosts).missing(range);
}

void Journal::refresh_oldest() {
  const auto kept = missing({1, head()}, {});
  oldest_ = kept.empty() ? head() + 1 : kept.front().first;
}

std::uint8_t Journal::step_bd_seq() {
  // topics-nbirth-bdseq-increment: from 0, one step a CONNECT, 255 is followed by 0.
  state_.bd_seq = state_.bd_seq ? static_cast<std::uint8_t>(*state_.bd_seq + 1) : std::uint8_t{0};
  if (auto stored = file_->store_bd_seq(*state_.bd_seq); !stored)
    log_.warning("bdSeq {} cannot be stored: {}", *state_.bd_seq, stored.error().text);
  return *state_.bd_seq;
}

std::map<std::string, std::string> Journal::announced() {
  auto births = file_->announced();
  return births ? *std::move(births) : std::map<std::string, std::string>{};
}

void Journal::store_announced(const std::map<std::string, std::string>& births) {
  if (auto stored = file_->store_announced(births); !stored)
    log_.warning("what births announce cannot be stored: {}", stored.error().text);
}

}  // namespace watchroom::agent
