// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/gpio/gpio_grammar.hpp"

#include <array>

#include "agent/drivers/conversion.hpp"
#include "agent/drivers/gpio/board.hpp"

namespace watchroom::agent {
namespace {

constexpr std::array<std::string_view, 1> schemes{"gpio"};

DriverPart read_address(std::string_view, std::string_view target, AddressQuery& query) {
  const std::string board = percent_decoded(target);
  const auto folder = query.text("boards_dir");
  if (board.starts_with('/')) {
    if (folder) query.complain("boards_dir", "does not go with a path, expected gpio://BOARD");
    return GpioAddress{board};
  }
  if (board.empty() || board.find('/') != std::string::npos || board.starts_with('.'))
    query.complain(
        "board", fmt::format("\"{}\" is not valid, expected gpio://BOARD or gpio:///PATH/board.toml", board));
  const std::filesystem::path boards = folder ? std::filesystem::path{*folder} : installed_boards_folder();
  return GpioAddress{boards / board / "board.toml"};
}

SharedBus bus_of(const DriverPart& where) {
  return {"gpio " + where.as<GpioAddress>().board_file.string(), {}};
}

void read_traits(const SettingsTable& table, Profile&) { table.finish(); }

void read_source(const SettingsTable& table, ProfilePoint& point) {
  GpioSource source;
  source.line = table.text("line", {.help = "name of a line of the board; * for every line"});
  if ((source.line == "*") != point.is_table())
    table.reject("line",
                 point.is_table() ? "\"*\", for the name holds [*]" : "a line's name, or [*] in `name`");
  if (point.source.conversion.unit != Unit::state) table.reject("unit", "\"state\": a contact knows two");
  if (point.is_optional) table.reject("optional", "no such key: the board tells which lines there are");
  point.source.where = std::move(source);
}

/// Which lines of a board are active.
struct GpioSample {
  std::map<std::string, bool> levels;
};

DriverPart read_answer(const SettingsTable& sample) {
  GpioSample answer;
  const SettingsTable levels = sample.table("levels");
  for (const std::string& line : levels.keys())
    answer.levels.emplace(line, levels.flag(line, false, "whether the line is active"));
  levels.finish();
  return answer;
}

Result<NamedReadings> play(const Profile& profile, const DriverPart& answer) {
  const auto& levels = answer.as<GpioSample>().levels;
  std::vector<FoundPoint> found;
  for (const ProfilePoint& point : profile.points)
    if (point.is_table())
      for (const auto& [line, level] : levels) found.push_back({point.key, row_of_line(line)});
  const DevicePoints points = points_of(profile, found);
  NamedReadings readings;
  for (std::size_t i = 0; i < points.sources.size(); ++i) {
    const auto level = levels.find(points.sources[i].where.as<GpioSource>().line);
    if (level != levels.end())
      readings.emplace_back(
          points.descriptions[i].name.str(),
          to_reading(std::int64_t{level->second}, points.sources[i].conversion, Timestamp{}));
  }
  return readings;
}

TableRow row_of(const DriverPart&, const RowIndex& index) {
  std::string line;
  for (const std::uint32_t byte : index) line += static_cast<char>(byte);
  return {line, GpioSource{line}};
}

std::string source_text(const DriverPart& where) { return "line " + where.as<GpioSource>().line; }

}  // namespace

RowIndex row_of_line(std::string_view line) {
  RowIndex index;
  for (const char c : line) index.push_back(static_cast<unsigned char>(c));
  return index;
}

constinit const AddressGrammar gpio_addresses{
    .schemes = schemes,
    .read = read_address,
    .bus = bus_of,
    .examples = "gpio://BOARD, gpio:///PATH/board.toml",
    .ranges = {},
};

constinit const ProfileGrammar gpio_profiles{.read_traits = read_traits,
                                             .read_source = read_source,
                                             .read_answer = read_answer,
                                             .play = play,
                                             .source_text = source_text,
                                             .row = row_of};

}  // namespace watchroom::agent
