// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/key_herald.hpp"

#include <algorithm>
#include <variant>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 10s;   // the key is read from disk
constexpr auto first_pause = 20s;  // the agent tells within 10 s what it heard
constexpr std::chrono::milliseconds longest_pause = 1h;

std::int64_t seconds(Timestamp time) { return to_ms(time) / 1000; }

}  // namespace

void KeyHerald::look() {
  if (clock_.steady() < look_at_) return;
  look_at_ = clock_.steady() + look_every;
  const auto all = told_s();
  if (all.empty()) return;
  const auto since = key_since_();
  if (!since) return note(since.error().text);
  for (const auto& [place, told] : all) {
    if (told >= seconds(*since)) {
      sending_.erase(place);
      continue;
    }
    Sending& sending = sending_[place];
    if (clock_.steady() >= sending.again_at) send(place, sending);
  }
}

void KeyHerald::send(const Place& place, Sending& sending) {
  const std::chrono::milliseconds pause = first_pause * (1 << std::min(sending.times, 8));
  sending.again_at = clock_.steady() + std::min(pause, longest_pause);
  ++sending.times;
  Order order;
  order.kind = order_kinds::key;
  order.site = place.first;
  order.agent = place.second;
  // As wall time, so that they grow over restarts; and if that goes back, still.
  order.number = number_ = std::max(static_cast<std::uint64_t>(to_ms(clock_.now())), number_ + 1);
  const auto sent = send_(order);
  if (!sent) return note(fmt::format("{}/{}: {}", place.first, place.second, sent.error().text));
  trouble_.clear();
  log_.info("{}/{} is told of the signing key", place.first, place.second);
}

void KeyHerald::note(const std::string& trouble) {
  if (trouble != trouble_) log_.warning("the signing key cannot be made known: {}", trouble);
  trouble_ = trouble;
}

std::map<KeyHerald::Place, std::int64_t> KeyHerald::told_s() const {
  std::map<Place, bool> can_hear;
  for (const AgentView& agent : room_.agents(0))
    can_hear[{agent.site, agent.agent}] = agent.state == "online" && !agent.challenge.empty();
  const auto is_wanted = [](const PointView& point) {
    return point.device == "self" && point.name == "orders.key_since";
  };
  std::map<Place, std::int64_t> told;
  for (const PointView& point : room_.points(0, is_wanted)) {
    if (!point.value || !can_hear[{point.site, point.agent}]) continue;
    if (const auto* whole = std::get_if<std::int64_t>(&*point.value))
      told[{point.site, point.agent}] = *whole;
    else if (const auto* number = std::get_if<double>(&*point.value))
      told[{point.site, point.agent}] = static_cast<std::int64_t>(*number);
  }
  return told;
}

}  // namespace watchroom::aggregator
