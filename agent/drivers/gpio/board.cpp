// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/gpio/board.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

/// It becomes the instance of a point, and stands in profiles.
bool is_valid_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, is_allowed);
}

void read_where(const SettingsTable& table, BoardLine& line) {
  line.chip =
      table.text("chip", {.help = "gpiochip0, a path or the chip's label; default: any", .fallback = ""});
  const auto offset =
      table.optional_integer("offset", {.help = "number of the line on its chip", .most = 1023});
  const auto kernel_name = table.optional_text("kernel_name", "the kernel's name for the line");
  if (offset) line.where = static_cast<unsigned>(*offset);
  if (kernel_name) line.where = *kernel_name;
  if (offset.has_value() == kernel_name.has_value())
    table.complain("offset", "is not valid, expected either `chip` and `offset`, or `kernel_name`");
  else if (offset && line.chip.empty())
    table.reject("chip", "the chip on which `offset` counts");
}

BoardLine read_line(const SettingsTable& table) {
  BoardLine line;
  line.name = table.text("name", {.help = "as printed on the terminal"});
  if (!line.name.empty() && !is_valid_name(line.name))
    table.reject("name", "1 to 32 letters, digits, _ or -");
  read_where(table, line);
  line.is_active_low = table.flag("active_low", false, "a closed contact pulls the line down");
  line.bias = table.choice<LineBias>("bias",
                                     {{"as_is", LineBias::as_is},
                                      {"disabled", LineBias::disabled},
                                      {"pull_up", LineBias::pull_up},
                                      {"pull_down", LineBias::pull_down}},
                                     LineBias::as_is, "the chip's own resistor");
  line.debounce = table.duration(
      "debounce_ms", {.help = "a level counts once it has lasted so long", .fallback = 20ms, .most = 10s});
  table.finish();
  return line;
}

/// What two lines may not share: their name, and where they are.
void check_uses(const std::vector<SettingsTable>& tables, const std::vector<BoardLine>& lines) {
  std::map<std::string, int> names, places;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto taken = [&](std::map<std::string, int>& all, const std::string& what, const char* key) {
      const auto [first, is_new] = all.emplace(what, tables[i].line());
      if (!is_new)
        tables[i].complain(key, fmt::format("{} is taken by the line of line {}, expected one of its own",
                                            what, first->second));
    };
    if (!lines[i].name.empty()) taken(names, lines[i].name, "name");
    if (const auto* kernel_name = std::get_if<std::string>(&lines[i].where))
      taken(places, *kernel_name, "kernel_name");
    else
      taken(places, fmt::format("{} offset {}", lines[i].chip, std::get<unsigned>(lines[i].where)), "offset");
  }
}

std::optional<Board> read(const std::optional<SettingsTable>& table, const Problems& problems,
                          std::size_t before) {
  if (!table) return std::nullopt;
  Board board;
  table->integer("schema", {.help = "version of this format", .least = 1, .most = 1});
  board.name = table->text("name", {.help = "the controller, for people"});
  board.source = table->text("source", {.help = "where the numbers are from"});
  const std::vector<SettingsTable> tables = table->tables("line");
  for (const SettingsTable& line : tables) board.lines.push_back(read_line(line));
  check_uses(tables, board.lines);
  if (board.lines.empty()) table->complain("line", "is missing, expected at least one [[line]]");
  table->finish();
  if (problems.all().size() > before) return std::nullopt;
  return board;
}

}  // namespace

std::optional<Board> Board::load(const std::filesystem::path& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::load(file, problems), problems, before);
}

std::optional<Board> Board::parse(std::string_view text, const std::string& file, Problems& problems) {
  const std::size_t before = problems.all().size();
  return read(SettingsTable::parse(text, file, problems), problems, before);
}

const BoardLine* Board::line(std::string_view line_name) const {
  const auto found = std::ranges::find(lines, line_name, &BoardLine::name);
  return found == lines.end() ? nullptr : &*found;
}

std::filesystem::path installed_boards_folder() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().parent_path() / "share" / "watchroom" / "boards";
}

}  // namespace watchroom::agent
