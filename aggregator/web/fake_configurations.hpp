// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <mutex>

#include "aggregator/configurations/configurations.hpp"

namespace watchroom::aggregator {

/// For tests: keeps what is given, and says that it is sent.
class FakeConfigurations final : public Configurations {
 public:
  Result<ConfigurationView> give(const std::string& site, const std::string& agent, const std::string& text,
                                 const std::string& by, const std::string& comment) override {
    if (text == "[") return fail(Errc::invalid, Retry::never, "configuration:1: not TOML");
    const std::lock_guard lock{mutex_};
    auto& all = kept_[{site, agent}];
    all.push_back({site, agent, ++number_, text, by, comment, from_ms(1'800'000'000'000)});
    return ConfigurationView{.kept = all.back(), .progress = ConfigurationProgress::sent};
  }
  Result<ConfigurationView> latest(const std::string& site, const std::string& agent) const override {
    const std::lock_guard lock{mutex_};
    const auto at = kept_.find({site, agent});
    if (at == kept_.end()) return fail(Errc::not_found, Retry::never, "none was given");
    return ConfigurationView{.kept = at->second.back(), .progress = ConfigurationProgress::sent};
  }
  Result<std::vector<KeptConfiguration>> history(const std::string& site, const std::string& agent,
                                                 std::size_t limit) const override {
    const std::lock_guard lock{mutex_};
    const auto at = kept_.find({site, agent});
    std::vector<KeptConfiguration> found;
    if (at != kept_.end()) found.assign(at->second.rbegin(), at->second.rend());
    if (found.size() > limit) found.resize(limit);
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t number_ = 0;
  std::map<std::pair<std::string, std::string>, std::vector<KeptConfiguration>> kept_;
};

}  // namespace watchroom::aggregator
