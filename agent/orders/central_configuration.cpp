// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/orders/central_configuration.hpp"

namespace watchroom::agent {
namespace {

constexpr const char* folder_of_configurations = "configuration";

std::optional<AgentSettings> load_with(const std::filesystem::path& file,
                                       const std::optional<GivenConfiguration>& given, Problems& problems) {
  std::optional<GivenSettings> part;
  if (given) part = GivenSettings{fmt::format("configuration {}", given->number), given->text};
  auto settings = AgentSettings::load(file, problems, part);
  return problems.empty() ? std::move(settings) : std::nullopt;
}

std::string name_of(const std::optional<GivenConfiguration>& given) {
  return given ? fmt::format("configuration {}", given->number) : "agent.toml";
}

}  // namespace

std::optional<AgentSettings> load_in_force(const std::filesystem::path& file, Problems& problems) {
  const auto local = AgentSettings::load(file, problems);
  if (!local) return std::nullopt;
  const auto given = ConfigurationKeeper::in_force(local->data_dir / folder_of_configurations);
  return given ? load_with(file, given, problems) : local;
}

CentralConfiguration::CentralConfiguration(std::filesystem::path file, const AgentSettings& local,
                                           const AgentClock& clock, const Log& log)
    : file_{std::move(file)},
      clock_{clock},
      log_{log.tagged("configuration")},
      keeper_{local.data_dir / folder_of_configurations, log_, local.configuration_trial} {}

std::optional<AgentSettings> CentralConfiguration::begin() {
  const std::uint64_t last = keeper_.last_in_force();
  const auto given = keeper_.begin(clock_.steady());
  if (last != 0 && (!given || given->number != last))
    told_.push_back(
        fmt::format("configuration {} of the centre was begun {} times and never proved itself, or is lost; "
                    "the agent falls "
                    "back to {}",
                    last, ConfigurationKeeper::most_starts, name_of(given)));
  if (!given) return std::nullopt;
  tried_out_at_ = clock_.steady();
  Problems problems;
  if (auto settings = load(given, problems)) return settings;
  return fall_back(fmt::format("configuration {} of the centre can no longer be followed:\n{}", given->number,
                               problems.str()));
}

std::optional<AgentSettings> CentralConfiguration::read_anew(Problems& problems) const {
  return load(keeper_.running(), problems);
}

std::optional<AgentSettings> CentralConfiguration::follow(GivenConfiguration given) {
  const std::uint64_t number = given.number;
  Problems problems;
  auto settings = load(given, problems);
  if (!settings) {
    keeper_.refuse(number);
    told_.push_back(fmt::format("configuration {} of the centre is refused:\n{}", number, problems.str()));
    return std::nullopt;
  }
  if (auto kept = keeper_.try_out(std::move(given), clock_.steady()); !kept) {
    keeper_.refuse(number);
    told_.push_back(fmt::format("configuration {} of the centre is refused: {}", number, kept.error().text));
    return std::nullopt;
  }
  tried_out_at_ = clock_.steady();
  told_.push_back(fmt::format("configuration {} of the centre is followed, on trial: {} devices", number,
                              settings->devices.size()));
  return settings;
}

std::optional<AgentSettings> CentralConfiguration::look(std::optional<Steady> heard_at) {
  if (!keeper_.is_on_trial()) return std::nullopt;
  if (heard_at && *heard_at > tried_out_at_) {
    keeper_.prove();
    told_.push_back(
        fmt::format("configuration {} of the centre has proved itself", keeper_.report().running));
    return std::nullopt;
  }
  if (!keeper_.trial_is_over(clock_.steady())) return std::nullopt;
  return fall_back(fmt::format("with configuration {} the centre was not heard for {} s",
                               keeper_.report().running,
                               std::chrono::floor<std::chrono::seconds>(keeper_.longest_trial()).count()));
}

std::optional<AgentSettings> CentralConfiguration::fall_back(const std::string& why) {
  const auto before = keeper_.fall_back();
  told_.push_back(fmt::format("{}; the agent falls back to {}", why, name_of(before)));
  Problems problems;
  if (auto settings = load(before, problems)) return settings;
  log_.error("what the agent falls back to is wrong, too:\n{}", problems.str());
  return before ? fall_back(fmt::format("configuration {} is wrong, too", before->number)) : std::nullopt;
}

std::optional<AgentSettings> CentralConfiguration::load(const std::optional<GivenConfiguration>& given,
                                                        Problems& problems) const {
  auto settings = load_with(file_, given, problems);
  if (settings)
    for (const Problem& warning : problems.warnings()) log_.warning("{}", warning.str());
  return settings;
}

}  // namespace watchroom::agent
