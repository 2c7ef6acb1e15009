// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/gpio/gpio.hpp"

#include <algorithm>
#include <map>

#include "agent/drivers/conversion.hpp"
#include "agent/drivers/gpio/board.hpp"
#include "agent/drivers/gpio/gpio_grammar.hpp"
#include "agent/drivers/gpio/input_lines.hpp"

namespace watchroom::agent {
namespace {

Result<Board> load_board(const DeviceAddress& address) {
  Problems problems;
  auto board = Board::load(address.where.as<GpioAddress>().board_file, problems);
  if (!board) return fail(Errc::invalid, Retry::never, "{}", problems.str());
  return *std::move(board);
}

/// Devices of one board share its lines: a cabinet's door may be another device than its smoke detector.
class GpioBus final : public Bus {
 public:
  GpioBus(std::vector<ConfiguredDevice> devices, BusContext context) : context_{std::move(context)} {
    for (ConfiguredDevice& device : devices)
      devices_.push_back({std::move(device.profile), std::move(device.sources), {}});
    auto board = load_board(devices.front().address);
    if (board)
      lines_ = std::make_unique<InputLines>(*std::move(board), context_.clock, [this] { hurry_all(); });
    else
      fault_ = board.error();
  }

  Answer read(std::size_t device) override {
    auto& [profile, sources, unread] = devices_[device];
    const Timestamp at = context_.clock.now();
    if (!lines_) return silent_answer(*fault_, sources.size(), at);
    Answer answer;
    answer.communication = Communication::ok;
    std::optional<Error> fault;
    bool is_any_good = sources.empty();
    std::map<std::string, UnreadChanges::Shown> shown;  // points may share a line
    for (const PointSource& source : sources) {
      const std::string& line = source.where.as<GpioSource>().line;
      const auto level = lines_->level(line);
      is_any_good |= static_cast<bool>(level);
      if (!level) {
        fault = level.error();
        answer.readings.push_back({std::nullopt, Quality::stale, at});
        continue;
      }
      if (!shown.contains(line)) shown.emplace(line, unread[line].show(*level));
      answer.readings.push_back(to_reading(std::int64_t{shown.at(line).level}, source.conversion, at));
    }
    const bool is_all = std::ranges::all_of(shown, [](const auto& one) { return one.second.is_all; });
    if (!is_all && context_.hurry) context_.hurry(device);
    return is_any_good ? answer : silent_answer(*fault, sources.size(), at);
  }

  Result<std::vector<FoundPoint>> discover(std::size_t device) override {
    if (!lines_) return *fault_;
    std::vector<FoundPoint> found;
    for (const ProfilePoint& point : devices_[device].profile->points)
      if (point.is_table())
        for (const BoardLine& line : lines_->board().lines)
          found.push_back({point.key, row_of_line(line.name)});
    return found;
  }

  void use(std::size_t device, SharedList<PointSource> sources) override {
    devices_[device].sources = std::move(sources);
  }

 private:
  struct Device {
    std::shared_ptr<const Profile> profile;
    SharedList<PointSource> sources;
    std::map<std::string, UnreadChanges> unread = {};  // by line
  };

  void hurry_all() const {
    if (!context_.hurry) return;
    for (std::size_t i = 0; i < devices_.size(); ++i) context_.hurry(i);
  }

  BusContext context_;
  std::vector<Device> devices_;
  std::optional<Error> fault_;
  std::unique_ptr<InputLines> lines_;  // last: its thread calls hurry_all
};

std::unique_ptr<Bus> make(std::vector<ConfiguredDevice> devices, BusContext context) {
  return std::make_unique<GpioBus>(std::move(devices), std::move(context));
}

/// A board does not tell what hangs on its lines: the profile that has a point for every line.
Result<Profiles> recognise(const DeviceAddress& address,
                           std::span<const std::shared_ptr<const Profile>> profiles, const BusContext&,
                           Patience) {
  if (const auto board = load_board(address); !board) return board.error();
  for (const auto& profile : profiles)
    if (std::ranges::all_of(profile->points, &ProfilePoint::is_table)) return Profiles{profile};
  return fail(Errc::not_found, Retry::never,
              "no profile is for all lines of a board; give one with --profile");
}

std::vector<std::string> survey(const DeviceAddress& address, const BusContext&) {
  std::vector<std::string> lines;
  if (const auto board = load_board(address))
    for (const BoardLine& line : board->lines) lines.push_back("line " + line.name);
  return lines;
}

std::string misfit(const DeviceAddress& address, const Profile& profile, Problems& problems) {
  const std::filesystem::path& file = address.where.as<GpioAddress>().board_file;
  if (std::ranges::count(problems.all(), file.string(), &Problem::file) > 0) return {};  // told already
  const auto board = Board::load(file, problems);
  if (!board) return {};
  for (const ProfilePoint& point : profile.points) {
    const std::string& line = point.source.where.as<GpioSource>().line;
    if (line != "*" && !board->line(line)) return fmt::format("a board with a line \"{}\"", line);
  }
  return {};
}

}  // namespace

const DriverType gpio{
    .name = "gpio",
    .addresses = gpio_addresses,
    .profiles = gpio_profiles,
    .is_concurrent = false,
    .prepare = [](const std::filesystem::path&) {},
    .make = make,
    .recognise = recognise,
    .survey = survey,
    .misfit = misfit,
};

}  // namespace watchroom::agent
