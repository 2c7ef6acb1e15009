// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/polling/poll_result.hpp"
#include "proto/link/payload.hpp"

namespace watchroom::agent {

/// What is known of a device at present, which is what its birth says: the points of its description with
/// their last readings, how it answers, and points that are announced only because records of theirs still
/// wait.
class DeviceNow {
 public:
  /// Before it was ever asked: no values, quality stale.
  explicit DeviceNow(std::shared_ptr<const DeviceDescription> description);
  /// A device that is no longer configured.
  DeviceNow() = default;

  /// `polled.readings` are in the description's order.
  void take(const PollResult& polled);
  /// The last event the device told of, as metrics without the properties of a birth.
  void take_event(const std::vector<Metric>& metrics) { event_ = metrics; }
  /// Keeps what is known of the points that stay; those that go remain announced.
  void describe(std::shared_ptr<const DeviceDescription> description);
  /// The clock that its readings are stamped by was moved.
  void shift(std::chrono::milliseconds by);
  /// Announces a point that the description does not have. `as_announced` is as of a birth, without a value.
  void keep_announced(Metric as_announced);
  /// Announces what is described and nothing else.
  void forget_kept() { kept_.clear(); }
  bool has_kept() const { return !kept_.empty(); }
  bool may_change_class() const { return description_ && !description_->has_fixed_class; }
  bool announces(std::string_view name) const;

  /// DBIRTH: the points, then what is fixed about the device.
  Payload birth(Timestamp now) const;
  /// The birth without values, encoded: enough to announce the points once more after a restart.
  std::string kept_birth() const;

 private:
  std::optional<std::size_t> index_of(std::string_view name) const;
  std::vector<Metric> points() const;
  void add_events(std::vector<Metric>& metrics) const;

  std::shared_ptr<const DeviceDescription> description_;  // null: no longer configured
  std::vector<Reading> readings_;                         // in the description's order
  Communication communication_ = Communication::unknown;
  std::string communication_text_;
  std::optional<Timestamp> polled_at_;
  std::vector<Metric> event_;  // empty: none yet
  std::vector<Metric> kept_;
  mutable std::size_t likely_ = 0;  // where the next name asked for most likely stands
};

}  // namespace watchroom::agent
