// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <vector>

#include "agent/polling/poll_result.hpp"
#include "proto/link/payload.hpp"

namespace watchroom::agent {

/// What of one poll is worth telling the centre.
struct Report {
  std::vector<Metric> metrics;  ///< in time order, without the properties of a birth
  bool is_urgent = false;       ///< to be on disk and on its way within `urgent_commit`
};

/// True for a device from which nothing can be had: it does not answer as it should, and no point is good.
bool is_lost(const PollResult& polled);

/// Decides for one device what to report: what left its deadband since it was last reported or crossed a
/// limit of its profile's alarms, every change of state, text, quality and communication, and the whole
/// device so often that no point stays silent for longer than `max_silence`. A lost device is not repeated:
/// its loss was told, and nothing new is known. Pure: no clock, no I/O.
class Reporter {
 public:
  explicit Reporter(std::shared_ptr<const DeviceDescription> device) : device_{std::move(device)} {}

  /// `polled.readings` are in the order of the device's points. Nothing when nothing is worth a report.
  std::optional<Report> judge(const PollResult& polled, Steady now);

 private:
  struct Verdict {
    bool is_worth_it = false;
    bool is_urgent = false;
  };
  Verdict judge_point(std::size_t index, const Reading& reading) const;
  bool is_whole_device_due(const PollResult& polled, Steady now) const;

  std::shared_ptr<const DeviceDescription> device_;
  std::vector<Reading> reported_;  // by point; empty before the first report
  Communication reported_communication_ = Communication::unknown;
  std::string reported_text_;
  Steady whole_reported_at_{};
};

}  // namespace watchroom::agent
