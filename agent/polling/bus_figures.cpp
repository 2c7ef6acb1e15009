// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/bus_figures.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace watchroom::agent {
namespace {

constexpr std::size_t longest_instance = 32;

bool is_fit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// FNV-1a, 32 bits: the same in every build and at every start, because it becomes part of a point's name.
std::uint32_t sum_of(const std::string& text) {
  std::uint32_t sum = 2166136261u;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
  return sum;
}

std::string marked(const std::string& instance, const std::string& name) {
  const std::string mark = fmt::format("-{:08x}", sum_of(name));
  return instance.substr(0, longest_instance - mark.size()) + mark;
}

}  // namespace

BusFigures::BusFigures(std::string name, std::string instance, std::size_t devices, std::size_t threads)
    : name_{std::move(name)},
      instance_{std::move(instance)},
      devices_{static_cast<int>(devices)},
      back_by_ms_(threads) {
  for (std::size_t i = 0; i < threads; ++i) leaves(i);
}

void BusFigures::comes_by(std::size_t thread, Steady back_by) {
  back_by_ms_[thread].store(back_by.time_since_epoch().count(), std::memory_order_relaxed);
}

void BusFigures::asked(Communication before, Communication now) {
  ++polls_[static_cast<std::size_t>(now)];
  const auto side = [this](Communication what) -> std::atomic<int>* {
    if (what == Communication::unknown) return nullptr;
    return what == Communication::ok ? &living_ : &lost_;
  };
  if (side(before) == side(now)) return;
  if (auto* left = side(before)) --*left;
  if (auto* joined = side(now)) ++*joined;
}

void BusFigures::was_late(std::chrono::milliseconds by) {
  std::int64_t widest = lateness_ms_.load(std::memory_order_relaxed);
  while (by.count() > widest && !lateness_ms_.compare_exchange_weak(widest, by.count())) {
  }
}

BusSnapshot BusFigures::take() {
  BusSnapshot taken;
  taken.name = name_;
  taken.instance = instance_;
  taken.threads = back_by_ms_.size();
  taken.devices = devices_;
  taken.living = living_;
  taken.lost = lost_;
  for (std::size_t i = 0; i < polls_.size(); ++i) taken.polls[i] = polls_[i];
  taken.busy = std::chrono::milliseconds{busy_ms_};
  taken.lateness = std::chrono::milliseconds{lateness_ms_.exchange(0)};
  for (const auto& back_by : back_by_ms_)
    taken.back_by = std::min(taken.back_by, Steady{std::chrono::milliseconds{back_by}});
  return taken;
}

std::shared_ptr<BusFigures> BusBoard::add(const std::string& name, std::size_t devices, std::size_t threads) {
  const std::lock_guard lock{mutex_};
  std::erase_if(entries_, [](const Entry& entry) { return entry.figures.expired(); });
  std::string instance = instance_of_bus(name);
  const auto is_taken = [&](const Entry& entry) { return entry.instance == instance && entry.name != name; };
  if (std::any_of(entries_.begin(), entries_.end(), is_taken)) instance = marked(instance, name);
  auto figures = std::make_shared<BusFigures>(name, instance, devices, threads);
  entries_.push_back({name, std::move(instance), figures});
  return figures;
}

std::vector<BusSnapshot> BusBoard::take() {
  std::vector<BusSnapshot> all;
  {
    const std::lock_guard lock{mutex_};
    for (const Entry& entry : entries_)
      if (const auto figures = entry.figures.lock()) all.push_back(figures->take());
  }
  std::sort(all.begin(), all.end(),
            [](const BusSnapshot& a, const BusSnapshot& b) { return a.name < b.name; });
  return all;
}

std::string instance_of_bus(const std::string& name) {
  std::string instance;
  // Every line is under /dev: that tells nothing.
  const std::size_t begin = name.starts_with("/dev/") ? 5 : 0;
  for (std::size_t i = begin; i < name.size(); ++i) {
    const char c = is_fit(name[i]) ? name[i] : '-';
    if (c != '-' || (!instance.empty() && instance.back() != '-')) instance += c;
  }
  while (!instance.empty() && instance.back() == '-') instance.pop_back();
  if (instance.empty()) return marked("bus", name);
  return instance.size() > longest_instance ? marked(instance, name) : instance;
}

}  // namespace watchroom::agent
