// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// One transaction a batch. When the disk refuses, the room is still watched: alarms go on from memory and are
// mailed, nothing is acknowledged, and what the agents keep is asked for again.
#include <algorithm>

#include "aggregator/core/core.hpp"

namespace watchroom::aggregator {

bool Core::ensure_transaction() {
  if (batch_failed_) return false;
  if (store_.is_open()) return true;
  if (auto begun = store_.begin(); !begun) store_failed(begun.error());
  return !batch_failed_;
}

void Core::store_failed(const Error& error) {
  batch_failed_ = true;
  if (!store_is_failing_)
    log_.error("the store refuses: {}; alarms go on, nothing is acknowledged", error.text);
  store_is_failing_ = true;
}

template <typename T>
std::optional<T> Core::stored(Result<T> result) {
  if (result) return *std::move(result);
  store_failed(result.error());
  return std::nullopt;
}

bool Core::stored(const Result<void>& result) {
  if (result) return true;
  store_failed(result.error());
  return false;
}

template std::optional<int> Core::stored(Result<int>);
template std::optional<std::int64_t> Core::stored(Result<std::int64_t>);
template std::optional<std::optional<std::int64_t>> Core::stored(Result<std::optional<std::int64_t>>);

bool Core::save_ids(KnownNode& node, KnownDevice& device) {
  if (!ensure_transaction()) return false;
  if (node.id == 0) {
    const auto id = stored(store_.save_node(node.key, node.name, node.software_version));
    if (!id) return false;
    node.id = *id;
    new_ids_.push_back(&node.id);
  }
  if (device.id == 0) {
    const auto id = stored(store_.save_device(node.id, device.about));
    if (!id) return false;
    device.id = *id;
    new_ids_.push_back(&device.id);
  }
  return true;
}

void Core::write_changes() {
  const auto ledgers = host_.changed_ledgers();
  for (LateWatch& late : engine_.take_late_changes()) dirty_late_.push_back(std::move(late));
  const bool has_mails =
      std::any_of(outbox_.begin(), outbox_.end(), [](const auto& entry) { return entry.second.is_dirty; });
  if (ledgers.empty() && dirty_alarms_.empty() && dirty_late_.empty() && !has_mails) return;
  if (!ensure_transaction()) return;
  for (const auto& [key, ledger] : ledgers) {
    KnownNode& node = node_of(key);
    if (!save_ids(node, device_of(node, ""))) return;
    if (!stored(store_.save_ledger(node.id, *ledger, clock_.now()))) return;
  }
  for (const auto& [id, alarm] : dirty_alarms_)
    if (!stored(store_.save_alarm(alarm))) return;
  for (const LateWatch& late : dirty_late_)
    if (!stored(store_.save_late_watch(late))) return;
  (void)write_mails();
}

void Core::finish_batch() {
  write_changes();
  if (store_.is_open() && !batch_failed_ && readings_ != stored_readings_)
    (void)stored(store_.save_total_readings(readings_));
  if (store_.is_open() && !batch_failed_) (void)stored(store_.commit());
  const bool is_durable = !batch_failed_;
  if (is_durable) {
    host_.committed();
    if (store_is_failing_) log_.info("the store works again");
    store_is_failing_ = false;
    new_ids_.clear();
    stored_readings_ = readings_;
    stored_records_ = records_;
    forget_final_mails();
    dirty_late_.clear();
  } else {
    store_.roll_back();
    host_.rolled_back();
    readings_ = stored_readings_;
    records_ = stored_records_;
    for (std::int64_t* id : new_ids_) *id = 0;
    new_ids_.clear();
  }
  batch_failed_ = false;
  constexpr std::size_t most_steps = 10'000;
  if (is_durable || steps_.size() > most_steps) record_steps();
  publish();
  dirty_points_.clear();
  dirty_nodes_.clear();
  if (is_durable) dirty_alarms_.clear();
  for (auto& [answer, alarm] : answers_) {
    alarm.mail = mail_state_.contains(alarm.id) ? mail_state_.at(alarm.id) : "none";
    if (is_durable)
      answer->set_value(std::move(alarm));
    else
      answer->set_value(
          fail(Errc::io, Retry::later, "the acknowledgement counts, but could not be written to disk yet"));
  }
  answers_.clear();
  for (const MqttMessage& message : host_.take_commands(clock_.now(), clock_.steady()))
    outside_.publish(session_, message);
  for (const MqttMessage& message : take_class_commands()) outside_.publish(session_, message);
  hand_over_due_mails();
}

void Core::prune() {
  using namespace std::chrono_literals;
  constexpr int most_rows = 20'000;
  // A call that met its bound left some: the next look goes on.
  if (!has_more_to_prune_ && clock_.steady() - last_prune_ < 60s) return;
  last_prune_ = clock_.steady();
  if (!ensure_transaction()) return;
  const auto pruned = stored(store_.prune_samples(clock_.now() - settings_.recent, most_rows));
  has_more_to_prune_ = pruned && *pruned == most_rows;
}

}  // namespace watchroom::aggregator
