// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "aggregator/configurations/configurations.hpp"
#include "aggregator/live/room.hpp"
#include "proto/base/log.hpp"

namespace watchroom::aggregator {

/// Signs and sends, in base64; errors say why it cannot be.
using SendConfiguration = std::function<Result<void>(const KeptConfiguration&)>;

/// Gives each agent the configuration that is kept for it, and again until the agent says that it has heard
/// it: what agents say of themselves (device self) is looked at every two seconds. `room` and `clock` must
/// outlive it.
class ConfigurationDesk final : public Configurations {
 public:
  ConfigurationDesk(ConfigurationBook book, const Room& room, SendConfiguration send, const Clock& clock,
                    const Log& log);
  ~ConfigurationDesk() override;

  /// `also` is called with each look, on the same thread.
  void start(std::function<void()> also = {});
  void stop();
  /// One look at all agents; what `start` does every two seconds.
  void look();

  Result<ConfigurationView> give(const std::string& site, const std::string& agent, const std::string& text,
                                 const std::string& by, const std::string& comment) override;
  Result<ConfigurationView> latest(const std::string& site, const std::string& agent) const override;
  Result<std::vector<KeptConfiguration>> history(const std::string& site, const std::string& agent,
                                                 std::size_t limit) const override;

 private:
  using Place = std::pair<std::string, std::string>;
  /// What an agent tells of itself; nothing: it has not told.
  struct Told {
    bool is_online = false;
    std::optional<std::uint64_t> given, running;
    std::optional<std::int64_t> state;
    std::string reasons;
  };
  struct Sending {
    std::uint64_t number = 0;
    int times = 0;
    Steady again_at{};
    std::string trouble = {};
  };
  std::map<Place, Told> told() const;
  std::optional<std::string> reasons_for(const KeptConfiguration& kept) const;
  ConfigurationView view_of(KeptConfiguration kept, const Told& told) const;
  void send(const KeptConfiguration& kept, Sending& sending);

  mutable std::mutex mutex_;  // of what follows
  ConfigurationBook book_;
  std::map<Place, Sending> sending_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  const Room& room_;
  const SendConfiguration send_;
  const Clock& clock_;
  const Log log_;
  std::thread thread_;
};

}  // namespace watchroom::aggregator
