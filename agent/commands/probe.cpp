// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <chrono>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "agent/commands/addressed_device.hpp"
#include "agent/commands/commands.hpp"
#include "agent/commands/scratch_folder.hpp"
#include "agent/drivers/driver.hpp"
#include "agent/profiles/point_lists.hpp"

namespace watchroom::agent {
namespace {

std::string state_text(const PointDescription& point, const Reading& reading) {
  const StateText* state = state_of(point, reading);
  return state ? state->en : "";
}

void print_line(const PointDescription& point, const std::string& source, const Reading& reading) {
  const std::string value = reading.value ? to_text(*reading.value) : "-";
  const std::string state = state_text(point, reading);
  fmt::print("{:<32} {:>14} {:<6} {:<24} {:<6} {}\n", point.name.str(), value, symbol_of(point.unit()), state,
             name_of(reading.quality), source);
}

void print_json(const PointDescription& point, const std::string& source, const Reading& reading) {
  nlohmann::ordered_json line;
  line["point"] = point.name.str();
  line["value"] = nullptr;
  if (reading.value) std::visit([&](const auto& value) { line["value"] = value; }, *reading.value);
  line["unit"] = name_of(point.unit());
  const std::string state = state_text(point, reading);
  line["state"] = state.empty() ? nlohmann::ordered_json{} : nlohmann::ordered_json(state);
  line["quality"] = name_of(reading.quality);
  line["source"] = source;
  fmt::print("{}\n", line.dump());
}

std::string misfit_of(const DeviceAddress& address, const Profile& profile) {
  Problems problems;
  const auto misfit = address.type->misfit;
  const std::string expected = misfit ? misfit(address, profile, problems) : "";
  if (!problems.empty()) return problems.str();
  return expected.empty() ? "" : fmt::format("{} does not fit, expected {}", address.text, expected);
}

int read_and_print(const DriverType& driver, ConfiguredDevice device, const BusContext& context, bool json) {
  PointLists lists;
  set_points(device, {}, lists);
  const auto found = driver.make({device}, context)->discover(0);
  if (!found) return report_failure(found.error(), json);
  set_points(device, *found, lists);
  const auto& points = device.description.points;
  const Answer answer = driver.make({device}, context)->read(0);
  if (answer.communication != Communication::ok)
    return report_failure(fail(Errc::no_answer, Retry::later, "{}", answer.text), json);
  for (std::size_t i = 0; i < points.size(); ++i)
    (json ? print_json : print_line)(points[i], driver.profiles.source_text(device.sources[i].where),
                                     answer.readings[i]);
  return done;
}

}  // namespace

int probe_command(const ProbeOptions& options) {
  const auto address = address_on_command_line(options.url);
  if (!address) return report_failure(address.error(), options.json);

  const DriverType& driver = *address->type;
  const std::filesystem::path folder = options.profiles_dir.value_or(installed_profiles_folder());
  const SystemClock clock;
  const ScratchFolder scratch;
  driver.prepare(scratch.path());
  const BusContext context{clock, Log::to_stderr(LogLevel::warning), scratch.path(), {}};
  const auto profiles =
      options.profile ? load_named(folder, *options.profile, driver.name)
                      : driver.recognise(*address, load_profiles(folder, driver.name), context, Patience{});
  if (!profiles) return report_failure(profiles.error(), options.json);
  int worst = done;
  for (const auto& profile : *profiles) {
    if (const auto fault = misfit_of(*address, *profile); !fault.empty())
      return report_failure(fail(Errc::invalid, Retry::never, "{}", fault), options.json);
    fmt::print(stderr, "{} {} ({})\n", profile->maker, profile->model, profile->name);
    worst = std::max(worst, read_and_print(driver, device_of(*address, profile), context, options.json));
  }
  return worst;
}

}  // namespace watchroom::agent
