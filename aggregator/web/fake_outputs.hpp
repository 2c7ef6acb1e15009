// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <mutex>

#include "aggregator/outputs/outputs.hpp"

namespace watchroom::aggregator {

/// For tests: one output, hq/room1/siren, that is off; what is ordered is sent.
class FakeOutputs final : public Outputs {
 public:
  Result<std::vector<OutputView>> outputs() const override {
    const std::lock_guard lock{mutex_};
    return std::vector{view()};
  }
  Result<OutputSelection> select(const OutputPlace& place, const OutputWish& wish,
                                 const std::string& by) override {
    const std::lock_guard lock{mutex_};
    if (place != siren()) return fail(Errc::not_found, Retry::never, "there is no such output");
    OutputSelection selection{std::to_string(++selections_), from_ms(1'800'000'060'000), view(), wish};
    selected_[selection.id] = {by, wish};
    return selection;
  }
  Result<KeptOrder> order(const OutputPlace& place, const std::string& selection,
                          const std::string& by) override {
    const std::lock_guard lock{mutex_};
    const auto at = selected_.find(selection);
    if (place != siren() || at == selected_.end() || at->second.first != by)
      return fail(Errc::conflict, Retry::never, "select again");
    const Timestamp now = from_ms(1'800'000'000'000);
    orders_.push_back({place, orders_.size() + 1, at->second.second, by, now, OrderProgress::sent, now, ""});
    selected_.erase(at);
    return orders_.back();
  }
  Result<std::vector<KeptOrder>> history(const OutputPlace& place, std::size_t limit) const override {
    const std::lock_guard lock{mutex_};
    std::vector<KeptOrder> found;
    if (place == siren()) found.assign(orders_.rbegin(), orders_.rend());
    if (found.size() > limit) found.resize(limit);
    return found;
  }

 private:
  static OutputPlace siren() { return {"hq", "room1", "siren"}; }
  OutputView view() const {
    OutputView view{siren(), "off", true, from_ms(1'800'000'000'000), std::nullopt, std::nullopt};
    if (!orders_.empty()) view.order = orders_.back();
    return view;
  }

  mutable std::mutex mutex_;
  int selections_ = 0;
  std::map<std::string, std::pair<std::string, OutputWish>> selected_;
  std::vector<KeptOrder> orders_;
};

}  // namespace watchroom::aggregator
