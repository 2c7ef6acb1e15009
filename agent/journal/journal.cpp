// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/journal.hpp"

#include <algorithm>
#include <utility>

#include "agent/journal/checksum.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// More than this is not held back for the sake of the flash.
constexpr std::uint64_t most_buffered_bytes = 256 * 1024;
// A message stays of a size that every broker takes.
constexpr std::size_t most_joined_bytes = 32 * 1024;
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
// Stands for the broker when no host acknowledges.
constexpr const char* broker_as_host = "";

std::uint64_t count_of(const std::vector<RecordRange>& ranges) {
  std::uint64_t sum = 0;
  for (const RecordRange& range : ranges) sum += range.last - range.first + 1;
  return sum;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& file, JournalSettings settings,
                                               const Clock& clock, Log log) {
  if (settings.ack_hosts.empty()) settings.ack_hosts = {broker_as_host};
  std::unique_ptr<Journal> journal{new Journal{file, std::move(settings), clock, std::move(log)}};
  if (auto held = journal->folder_.take(file.parent_path()); !held && held.error().code == Errc::conflict)
    return held.error();
  journal->open_file();
  return journal;
}

Journal::Journal(std::filesystem::path file, JournalSettings settings, const Clock& clock, Log log)
    : path_{std::move(file)}, settings_{std::move(settings)}, clock_{clock}, log_{std::move(log)} {}

Journal::~Journal() {
  if (!file_) return;  // refused by `open`
  forget_at_ = clock_.steady();
  static_cast<void>(commit());
}

std::uint64_t Journal::append(std::string device, std::string payload, Urgency urgency) {
  const bool is_routine = urgency == Urgency::routine;
  if (!is_routine) open_.erase(device);
  JournalRecord* const open = is_routine ? open_record(device) : nullptr;
  const std::uint64_t number = open ? open->number : ++last_appended_;
  if (open) {
    pending_bytes_ += payload.size();
    open->payload += payload;
  } else {
    if (is_routine) open_[device] = number;
    buffer({number, std::move(device), std::move(payload), clock_.now(), eras_.present()});
  }
  ++figures_.appended;
  const bool is_urgent = !is_routine || pending_bytes_ > most_buffered_bytes;
  const Steady due = clock_.steady() + (is_urgent ? settings_.urgent_commit : settings_.commit);
  commit_at_ = std::min(commit_at_.value_or(due), due);
  return number;
}

/// The record of this device that is not yet on disk and may still grow; null when a new one is to begin.
JournalRecord* Journal::open_record(const std::string& device) {
  const auto found = open_.find(device);
  // While the disk refuses, what waits is sent as it is, and the oldest may be dropped.
  if (found == open_.end() || is_failing_) return nullptr;
  JournalRecord& record = pending_[found->second - pending_.front().number];
  const bool may_grow = record.era == eras_.present() && record.payload.size() < most_joined_bytes;
  return may_grow ? &record : nullptr;
}

void Journal::buffer(JournalRecord record) {
  pending_bytes_ += record.size_in_memory();
  pending_.push_back(std::move(record));
  while (pending_bytes_ > settings_.max_memory_bytes && pending_.size() > 1) {
    pending_bytes_ -= pending_.front().size_in_memory();
    pending_.pop_front();
    seal();
    ++lost_in_memory_;
  }
}

std::optional<Steady> Journal::deadline() const {
  if (is_failing_) return retry_at_;
  std::optional<Steady> earliest;
  for (const auto& due : {commit_at_, forget_at_, leave_memory_at_})
    if (due) earliest = std::min(earliest.value_or(*due), *due);
  return earliest;
}

JournalHealth Journal::health() const {
  if (!is_durable_) return JournalHealth::memory_only;
  return is_failing_ || !troubles_.empty() ? JournalHealth::failing : JournalHealth::durable;
}

JournalFigures Journal::figures() {
  figures_.health = health();
  figures_.waiting = count_of(missing({1, head()}, {})) + pending_.size();
  figures_.memory_bytes = pending_bytes_;
  figures_.lost = lost();
  figures_.moved_aside = moved_aside();
  figures_.oldest_at.reset();
  if (oldest_ <= head()) {
    if (!oldest_at_ || oldest_at_->first != oldest_)
      if (const auto at = file_->time_of(oldest_); at && *at) oldest_at_ = {oldest_, **at};
    if (oldest_at_) figures_.oldest_at = oldest_at_->second;
  } else if (!pending_.empty()) {
    figures_.oldest_at = pending_.front().at;
  }
  return figures_;
}

Result<void> Journal::write_pending() {
  const auto forgetting = forgetting_due();
  if (pending_.empty() && unsaved_eras_.empty() && !forgetting) return {};
  const auto write = [this](const std::optional<Forgetting>& also) {
    JournalState counts = state_;
    counts.lost += lost_in_memory_;
    return file_->write(pending_, counts, unsaved_eras(), also);
  };
  Result<void> written = write(forgetting);
  if (forgetting && went_well("acknowledged records cannot be deleted", written)) {
    deleted_ = settled_for(settings_.ack_hosts);
    forget_at_.reset();
  } else if (forgetting) {
    // What is new goes before what is done with; a damaged file has been replaced.
    forget_at_ = clock_.steady() + forget_interval;
    written = write({});
  } else if (!written && written.error().code == Errc::corrupt) {
    replace_file(written.error());
    written = write({});
  }
  if (written) unsaved_eras_.clear();
  return written;
}

/// What nobody needs any more goes with a write that is made anyway, if it is nearly due.
std::optional<Forgetting> Journal::forgetting_due() {
  const Steady by = clock_.steady() + (pending_.empty() ? 0ms : settings_.commit);
  if (!forget_at_ || by < *forget_at_) return std::nullopt;
  const auto present = eras_.all().find(eras_.present());
  if (present != eras_.all().end() && present->second.trust == ClockTrust::confirmed)
    state_.known_time = clock_.now();
  Forgetting forgetting{state_.acknowledged, {}};
  for (const RecordRange& range : settled_for(settings_.ack_hosts).ranges())
    for (const RecordRange& kept : deleted_.missing(range)) forgetting.to_delete.push_back(kept);
  return forgetting;
}

std::vector<ClockEra> Journal::unsaved_eras() const {
  std::vector<ClockEra> eras;
  for (const std::int64_t number : unsaved_eras_) eras.push_back(eras_.all().at(number));
  return eras;
}

Result<std::vector<JournalRecord>> Journal::commit() {
  if (leave_memory_at_ && clock_.steady() >= *leave_memory_at_) leave_memory();
  const std::uint64_t bytes = pending_bytes_;
  if (auto written = write_pending(); !written) {
    ++figures_.failed_commits;
    note_failure(written.error());
    return written.error();
  }
  if (is_failing_) log_.info("the journal takes records again; {} were lost meanwhile", lost_in_memory_);
  is_failing_ = false;
  if (!pending_.empty()) {
    ++figures_.commits;
    figures_.committed_bytes += bytes;
  }
  commit_at_.reset();
  std::vector<JournalRecord> committed = take_pending();
  const JournalId id = state_.id;
  if (has_unsaved_settings_) save_settings();
  keep_bounds();
  refresh_oldest();
  // A file that was just replaced holds them under new numbers, and they are sent from there.
  if (state_.id != id) committed.clear();
  return committed;
}

std::vector<JournalRecord> Journal::take_pending() {
  // What was dropped from memory left a hole below the first record that is still there.
  if (!pending_.empty() && pending_.front().number > state_.head + 1) {
    for (auto& [host, records] : state_.acknowledged)
      records.add(state_.head + 1, pending_.front().number - 1);
    deleted_.add(state_.head + 1, pending_.front().number - 1);
  }
  state_.lost += std::exchange(lost_in_memory_, 0);
  state_.head = last_appended_;
  std::vector<JournalRecord> taken{std::make_move_iterator(pending_.begin()),
                                   std::make_move_iterator(pending_.end())};
  pending_.clear();
  pending_bytes_ = 0;
  seal();
  return taken;
}

void Journal::note_failure(const Error& error) {
  retry_at_ = clock_.steady() + retry_interval;
  if (is_failing_) return;
  is_failing_ = true;
  log_.error("the journal cannot be written, up to {} bytes of records wait in memory: {}",
             settings_.max_memory_bytes, error.text);
}

/// Tells when `doing` begins to fail, once, and replaces a file that turns out to be damaged.
bool Journal::went_well(const std::string& doing, const Result<void>& done) {
  if (done) {
    troubles_.erase(doing);
    return true;
  }
  if (troubles_.insert(doing).second) log_.error("{}: {}", doing, done.error().text);
  if (done.error().code == Errc::corrupt) replace_file(done.error());
  return false;
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

void Journal::keep_bounds() {
  if (!went_well("the journal cannot be kept to its size", keep_size())) return;
  if (bounds_at_ && clock_.steady() < *bounds_at_) return;
  bounds_at_ = clock_.steady() + bounds_interval;
  if (const std::uint64_t last = last_too_old(); last > 0)
    went_well("old records cannot be dropped", drop_through(last, "records are too old"));
}

/// By times that are known to be right; what came before such a record is older still. 0: none.
std::uint64_t Journal::last_too_old() {
  const auto present = eras_.all().find(eras_.present());
  if (present != eras_.all().end() && present->second.trust == ClockTrust::unsure) return 0;
  const auto ages = file_->ages(most_aged_at_once);
  if (!ages) return 0;
  const Timestamp limit = clock_.now() - settings_.max_age;
  std::uint64_t last = 0;
  for (const JournalFile::Age& record : *ages) {
    const ClockCorrection correction = eras_.correction(record.era);
    if (!correction.is_unsure && record.at + correction.by < limit) last = record.number;
  }
  return last;
}

Result<void> Journal::keep_size() {
  const std::uint64_t limit = is_durable_ ? settings_.max_size_bytes : settings_.max_memory_bytes;
  while (true) {
    const auto size = file_->size_bytes();
    if (!size) return size.error();
    figures_.file_bytes = *size;
    if (*size <= limit) return {};
    const std::uint64_t some = std::clamp<std::uint64_t>((head() - oldest_) / 20, 1, most_dropped_at_once);
    const auto last = file_->last_of_oldest(some);
    if (!last) return last.error();
    if (*last == 0) return {};
    const std::uint64_t before = deleted_.count();
    if (auto dropped = drop_through(*last, "the journal is full"); !dropped) return dropped;
    refresh_oldest();
    if (deleted_.count() == before) return {};
  }
}

Result<void> Journal::drop_through(std::uint64_t last, std::string_view why) {
  JournalState after = state_;
  const std::uint64_t unsent = count_of(missing({1, last}, {}));
  after.lost += unsent;
  if (auto dropped = file_->drop_through(last, after); !dropped) return dropped;
  state_.lost = after.lost;
  if (unsent > 0 && (!tell_lost_at_ || clock_.steady() >= *tell_lost_at_)) {
    tell_lost_at_ = clock_.steady() + tell_lost_interval;
    log_.warning("{}: the oldest are dropped, up to number {}; {} lost so far", why, last, state_.lost);
  }
  for (auto& [host, records] : state_.acknowledged) records.add(1, last);
  deleted_.add(1, last);
  return {};
}

Result<std::vector<JournalRecord>> Journal::read(RecordRange range, std::size_t most,
                                                 const std::vector<std::string>& hosts) {
  range.last = std::min(range.last, head());
  std::vector<JournalRecord> records;
  for (RecordRange wanted : missing(range, hosts)) {
    while (records.size() < most && wanted.first <= wanted.last) {
      auto part = file_->read(wanted, most - records.size());
      if (!part && part.error().code == Errc::corrupt) replace_file(part.error());
      if (!part) return part.error();
      wanted.first = part->next;
      std::move(part->records.begin(), part->records.end(), std::back_inserter(records));
      give_up(part->damaged);
    }
  }
  return records;
}

/// Rows that went bad on the disk: they are told, counted as lost and deleted with the next commit.
void Journal::give_up(const std::vector<std::uint64_t>& damaged) {
  if (damaged.empty()) return;
  log_.error("records {} to {} are damaged on the disk: {} are lost", damaged.front(), damaged.back(),
             damaged.size());
  state_.lost += damaged.size();
  for (auto& [host, records] : state_.acknowledged)
    for (const std::uint64_t number : damaged) records.add(number, number);
  refresh_oldest();
  forget_at_ = clock_.steady();
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

void Journal::begin_era(const std::string& boot, std::chrono::milliseconds offset, ClockTrust trust) {
  if (trust == ClockTrust::confirmed) {
    const auto before = eras_.all();
    eras_.confirm(boot, offset);
    for (const auto& [number, era] : eras_.all())
      if (era != before.at(number)) unsaved_eras_.insert(number);
  }
  unsaved_eras_.insert(eras_.begin(boot, offset, trust));
  const Steady due = clock_.steady() + settings_.commit;
  commit_at_ = std::min(commit_at_.value_or(due), due);
}

void Journal::give_class(const std::string& device, const std::string& name) {
  if (name.empty())
    state_.classes.erase(device);
  else
    state_.classes[device] = name;
  save_settings();
}

std::uint8_t Journal::step_bd_seq() {
  // topics-nbirth-bdseq-increment: from 0, one step a CONNECT, 255 is followed by 0.
  state_.bd_seq = state_.bd_seq ? static_cast<std::uint8_t>(*state_.bd_seq + 1) : std::uint8_t{0};
  save_settings();
  return *state_.bd_seq;
}

/// What the disk refuses is tried again with each commit.
void Journal::save_settings() {
  has_unsaved_settings_ =
      !went_well("bdSeq and the classes given by the centre cannot be stored", file_->store_state(state_));
  if (!has_unsaved_settings_) return;
  const Steady due = clock_.steady() + retry_interval;
  commit_at_ = std::min(commit_at_.value_or(due), due);
}

std::map<std::string, std::string> Journal::announced() {
  auto births = file_->announced();
  return births ? *std::move(births) : std::map<std::string, std::string>{};
}

bool Journal::store_announced(std::size_t count, const Births& birth) {
  Checksum sum;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [device, bytes] = birth(i);
    sum.add(device).add(bytes);
  }
  const auto stored = file_->announced_sum();
  if (stored && *stored == sum.value()) return true;
  return went_well("what births announce cannot be stored",
                   file_->store_announced(count, birth, sum.value()));
}

}  // namespace watchroom::agent
