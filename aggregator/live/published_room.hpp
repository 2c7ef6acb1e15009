// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <future>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "aggregator/live/room.hpp"
#include "aggregator/store/store.hpp"

namespace watchroom::aggregator {

/// What one batch changed, ready to be seen.
struct Publication {
  std::vector<std::pair<PointId, PointView>> points;
  std::vector<AgentView> agents;
  std::vector<AlarmView> alarms;  ///< closed ones have state normal
  StatusView status;
};

/// The Room that readers see: filled by the core after each commit, read by any thread.
class PublishedRoom final : public Room {
 public:
  using Acknowledge = std::function<std::future<Result<AlarmView>>(std::int64_t alarm, const std::string& by,
                                                                   const std::string& comment)>;

  using RequestClass = std::function<std::future<Result<DeviceView>>(
      const DevicePlace& device, const std::string& wanted, const std::string& by)>;

  /// Both hand over to the core; their futures are waited for at most 10 s.
  PublishedRoom(StoreReader reader, Acknowledge acknowledge, RequestClass request_class = {})
      : reader_{std::move(reader)},
        acknowledge_{std::move(acknowledge)},
        request_class_{std::move(request_class)} {}

  /// By the core only.
  void publish(Publication publication);

  std::uint64_t version() const override;
  std::vector<PointView> points(std::uint64_t since,
                                const std::function<bool(const PointView&)>& wanted) const override;
  std::vector<AgentView> agents(std::uint64_t since) const override;
  std::vector<AlarmView> alarms(std::uint64_t since) const override;
  StatusView status() const override;
  Result<std::vector<AlarmView>> alarm_history(
      std::size_t limit, const std::function<bool(const AlarmView&)>& wanted) const override;
  Result<std::vector<SampleView>> samples(const std::string& point_id, Timestamp since,
                                          std::size_t limit) const override;
  Result<AlarmView> acknowledge(std::int64_t alarm, const std::string& by,
                                const std::string& comment) override;
  Result<DeviceView> request_class(const DevicePlace& device, const std::string& wanted,
                                   const std::string& by) override;

 private:
  static constexpr std::size_t most_closed = 200;

  mutable std::shared_mutex mutex_;  // guards what follows, up to reader_mutex_
  std::uint64_t version_ = 0;
  std::map<std::string, PointView> points_;  // by id, so that every list comes in one order
  std::unordered_map<std::string, PointId> point_ids_;
  std::map<std::string, AgentView> agents_;
  std::map<std::int64_t, AlarmView> open_alarms_;
  std::map<std::int64_t, AlarmView> closed_alarms_;  // the newest few, so that watchers see them go
  StatusView status_;

  mutable std::mutex reader_mutex_;  // guards reader_
  mutable StoreReader reader_;
  const Acknowledge acknowledge_;
  const RequestClass request_class_;
};

}  // namespace watchroom::aggregator
