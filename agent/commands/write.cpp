// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "agent/commands/addressed_device.hpp"
#include "agent/commands/commands.hpp"
#include "agent/commands/scratch_folder.hpp"
#include "agent/profiles/point_lists.hpp"
#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {
namespace {

/// A point of the device that may be written, and the bus it is on.
struct Target {
  std::unique_ptr<Bus> bus;
  PointDescription point;
  PointSource source;
  std::string device;
  std::string source_text;  // where it stands, for people
};

std::string writable_names(const ConfiguredDevice& device) {
  std::string names;
  for (const PointDescription& point : device.description.points)
    if (point.traits->is_writable) names += (names.empty() ? "" : " ") + point.name.str();
  return names.empty() ? "无 none" : names;
}

Result<Target> find_target(const DriverType& driver, ConfiguredDevice device, const BusContext& context,
                           const std::string& name) {
  // Optional points are looked for only when one of them may be meant.
  PointLists lists;
  set_points(device, {}, lists);
  const auto is_named = [&](const PointDescription& point) { return point.name.str() == name; };
  if (std::ranges::none_of(device.description.points, is_named)) {
    const auto found = driver.make({device}, context)->discover(0);
    if (!found) return found.error();
    set_points(device, *found, lists);
  }
  const auto& points = device.description.points;
  const auto at = std::ranges::find_if(points, is_named);
  const std::string writable = writable_names(device);
  if (at == points.end())
    return fail(Errc::invalid, Retry::never, "没有测点 no point \"{}\"; 可写的 writable: {}", name, writable);
  PointSource source = device.sources[static_cast<std::size_t>(at - points.begin())];
  if (!at->traits->is_writable)
    return fail(Errc::invalid, Retry::never, "{} 不可写 is not writable; 可写的 writable: {}", name,
                writable);
  const auto index = static_cast<std::size_t>(at - points.begin());
  const auto& called = device.description.called;
  std::string protection = device.profile->protection;
  if (protection.empty() && index < called.size())
    protection = told_of_release(called[index], SaidOf::what_is_set);
  if (!protection.empty())
    return fail(Errc::invalid, Retry::never, "{} 不可写 is not writable: {}", name, protection);
  PointDescription point = *at;
  device.description.points = std::vector{point};
  device.sources = std::vector{source};
  const std::string maker = device.profile->maker + " " + device.profile->model;
  return Target{driver.make({std::move(device)}, context), std::move(point), source, maker,
                driver.profiles.source_text(source.where)};
}

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A number, a state's code, or its Chinese or English text.
Result<Value> value_in(const std::string& text, const PointDescription& point) {
  const auto number = number_in(text);
  if (point.unit() != Unit::state) {
    if (number) return Value{*number};
    return fail(Errc::invalid, Retry::never, "\"{}\" 不是数 is no number", text);
  }
  std::string states;
  for (const auto& [code, state] : point.traits->states) {
    const bool is_code = number && *number == static_cast<double>(code);
    if (is_code || text == state.zh || text == state.en) return Value{code};
    states += fmt::format("{}{} {} {}", states.empty() ? "" : ", ", code, state.zh, state.en);
  }
  return fail(Errc::invalid, Retry::never, "没有状态 no state \"{}\"; 可用 there are: {}", text, states);
}

std::string shown(const PointDescription& point, const Reading& reading) {
  if (!reading.value) return fmt::format("无 none ({})", name_of(reading.quality));
  const StateText* state = state_of(point, reading);
  const std::string text = to_text(*reading.value);
  if (state) return fmt::format("{} {} {}", text, state->zh, state->en);
  return fmt::format("{} {}", text, symbol_of(point.unit()));
}

/// Anything but a plain yes is no.
bool is_confirmed() {
  fmt::print(stderr, "写入？Write? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

nlohmann::ordered_json json_of(const std::optional<Value>& value) {
  nlohmann::ordered_json made;
  if (value) std::visit([&](const auto& held) { made = held; }, *value);
  return made;
}

void print_outcome(const Target& target, const Reading& before, const Reading& wanted,
                   const WriteOutcome& outcome) {
  fmt::print("原值 before:  {}\n写入 written: {}\n回读 read:    {}\n", shown(target.point, before),
             shown(target.point, wanted), shown(target.point, outcome.read_back));
  if (!outcome.doubt.empty())
    fmt::print(
        "写入结果未知，以回读为准。Whether the device did it is unknown ({}); what was read back decides.\n",
        outcome.doubt);
  fmt::print("{}\n", outcome.agrees ? "一致 agrees" : "不一致 DOES NOT AGREE");
}

void print_json(const Target& target, const Reading& before, const Reading& wanted,
                const WriteOutcome& outcome) {
  nlohmann::ordered_json line;
  line["point"] = target.point.name.str();
  line["unit"] = name_of(target.point.unit());
  line["source"] = target.source_text;
  line["before"] = json_of(before.value);
  line["written"] = json_of(wanted.value);
  line["read_back"] = json_of(outcome.read_back.value);
  line["doubt"] = outcome.doubt.empty() ? nlohmann::ordered_json{} : nlohmann::ordered_json(outcome.doubt);
  line["agrees"] = outcome.agrees;
  fmt::print("{}\n", line.dump());
}

int write_and_print(const Target& target, const Value& value, const WriteOptions& options) {
  const Answer answer = target.bus->read(0);
  if (answer.communication != Communication::ok)
    return report_failure(fail(Errc::no_answer, Retry::later, "{}", answer.text), options.json);
  const Reading& before = answer.readings.front();
  const Reading wanted{value, Quality::good, before.taken_at};
  fmt::print(stderr, "{} {} ({}): {} -> {}\n", target.device, target.point.name.str(), target.source_text,
             shown(target.point, before), shown(target.point, wanted));
  if (!options.is_confirmed && !is_confirmed())
    return report_failure(fail(Errc::cancelled, Retry::never, "未写入 / nothing was written"), options.json);
  const auto outcome = target.bus->write(0, target.source, value);
  if (!outcome) return report_failure(in(outcome.error(), "未写入 / not written"), options.json);
  (options.json ? print_json : print_outcome)(target, before, wanted, *outcome);
  return outcome->agrees ? done : did_not_work;
}

}  // namespace

int write_command(const WriteOptions& options) {
  const auto address = address_on_command_line(options.url);
  if (!address) return report_failure(address.error(), options.json);
  if (!options.is_confirmed && ::isatty(STDIN_FILENO) == 0)
    return report_failure(
        fail(Errc::invalid, Retry::never,
             "标准输入不是终端，无法确认；请加 --yes / nobody can confirm it here: give --yes"),
        options.json);
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
  for (const auto& profile : *profiles)
    if (!profile->protection.empty())
      return report_failure(
          fail(Errc::invalid, Retry::never, "不可写 / nothing is writable there: {}", profile->protection),
          options.json);
  const auto target = find_target(driver, device_of(*address, profiles->front()), context, options.point);
  if (!target) return report_failure(target.error(), options.json);
  const auto value = value_in(options.value, target->point);
  if (!value) return report_failure(value.error(), options.json);
  return write_and_print(*target, *value, options);
}

}  // namespace watchroom::agent
