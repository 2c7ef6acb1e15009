// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/configuration_keeper.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "proto/base/replace_file.hpp"
#include "proto/base/whole_file.hpp"

namespace watchroom::agent {
namespace {

constexpr std::size_t longest_configuration = 4u << 20;  // as an order
constexpr std::size_t longest_state = 4096;

}  // namespace

ConfigurationKeeper::ConfigurationKeeper(std::filesystem::path folder, Log log,
                                         std::chrono::milliseconds longest_trial)
    : folder_{std::move(folder)}, log_{std::move(log)}, longest_trial_{longest_trial} {
  const auto text = read_whole(folder_ / "state.json", longest_state);
  if (!text && text.error().code == Errc::not_found) return;
  try {
    const auto json = nlohmann::json::parse(text ? *text : "");
    kept_ = {json.at("good").get<std::uint64_t>(), json.at("trial").get<std::uint64_t>(),
             json.at("given").get<std::uint64_t>(), json.at("starts").get<int>(),
             static_cast<ConfigurationState>(json.at("state").get<std::int64_t>())};
  } catch (const nlohmann::json::exception&) {
    log_.error("{} is damaged: agent.toml alone is followed until the centre gives a configuration again",
               (folder_ / "state.json").string());
  }
}

std::optional<GivenConfiguration> ConfigurationKeeper::in_force(const std::filesystem::path& folder) {
  const ConfigurationKeeper keeper{folder, Log::quiet(), {}};
  const std::uint64_t number = keeper.last_in_force();
  return number == 0 ? std::nullopt : keeper.read(number);
}

std::optional<GivenConfiguration> ConfigurationKeeper::begin(Steady now) {
  if (kept_.trial != 0) {
    ++kept_.starts;
    if (kept_.starts > most_starts) {
      log_.error("configuration {} was begun {} times and never proved itself", kept_.trial, most_starts);
      return fall_back();
    }
    if (auto kept = keep(); !kept) log_.error("{}", kept.error().text);
    running_ = read(kept_.trial);
    if (!running_) return fall_back();
    trial_ends_ = now + longest_trial_;
  } else if (kept_.good != 0) {
    running_ = read(kept_.good);
    if (!running_) {
      kept_.good = 0;
      kept_.state = ConfigurationState::fallen_back;
    }
  }
  note();
  return running_;
}

Result<void> ConfigurationKeeper::try_out(GivenConfiguration given, Steady now) {
  std::error_code ignored;  // told by what follows
  std::filesystem::create_directories(folder_, ignored);
  if (auto written = replace_file(file_of(given.number), given.text); !written) return written;
  const Kept before = kept_;
  kept_ = {kept_.good, given.number, given.number, 1, ConfigurationState::on_trial};
  if (auto kept = keep(); !kept) {
    kept_ = before;
    return kept;
  }
  running_ = std::move(given);
  trial_ends_ = now + longest_trial_;
  note();
  return {};
}

void ConfigurationKeeper::refuse(std::uint64_t number) {
  kept_.given = number;
  kept_.state = ConfigurationState::refused;
  if (auto kept = keep(); !kept) log_.error("{}", kept.error().text);
  note();
}

std::optional<GivenConfiguration> ConfigurationKeeper::fall_back() {
  if (kept_.trial == 0) kept_.good = 0;
  kept_.trial = 0;
  kept_.starts = 0;
  kept_.state = ConfigurationState::fallen_back;
  trial_ends_.reset();
  running_ = kept_.good == 0 ? std::nullopt : read(kept_.good);
  if (!running_) kept_.good = 0;
  if (auto kept = keep(); !kept) log_.error("{}", kept.error().text);
  log_.warning("the agent falls back to {}",
               running_ ? fmt::format("configuration {}", running_->number) : "agent.toml");
  note();
  return running_;
}

void ConfigurationKeeper::prove() {
  if (!trial_ends_ || !running_) return;
  trial_ends_.reset();
  kept_.good = running_->number;
  kept_.trial = 0;
  kept_.starts = 0;
  // What was refused since stays told.
  if (kept_.state == ConfigurationState::on_trial) kept_.state = ConfigurationState::good;
  if (auto kept = keep(); !kept) log_.error("{}", kept.error().text);
  remove_others();
  log_.info("configuration {} has proved itself", running_->number);
  note();
}

ConfigurationReport ConfigurationKeeper::report() const {
  const std::lock_guard lock{mutex_};
  return report_;
}

Result<void> ConfigurationKeeper::keep() {
  std::error_code ignored;
  std::filesystem::create_directories(folder_, ignored);
  const nlohmann::ordered_json json{{"good", kept_.good},
                                    {"trial", kept_.trial},
                                    {"given", kept_.given},
                                    {"starts", kept_.starts},
                                    {"state", static_cast<std::int64_t>(kept_.state)}};
  return replace_file(folder_ / "state.json", json.dump() + "\n");
}

std::optional<GivenConfiguration> ConfigurationKeeper::read(std::uint64_t number) const {
  auto text = read_whole(file_of(number), longest_configuration);
  if (text) return GivenConfiguration{number, *std::move(text)};
  log_.error("configuration {} of the centre is lost: {}", number, text.error().text);
  return std::nullopt;
}

std::filesystem::path ConfigurationKeeper::file_of(std::uint64_t number) const {
  return folder_ / fmt::format("{}.toml", number);
}

void ConfigurationKeeper::remove_others() const {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{folder_, ignored})
    if (entry.path().extension() == ".toml" && entry.path() != file_of(kept_.good))
      std::filesystem::remove(entry.path(), ignored);
}

void ConfigurationKeeper::note() {
  const std::lock_guard lock{mutex_};
  report_ = {kept_.state, running_ ? running_->number : 0, kept_.given};
}

}  // namespace watchroom::agent
