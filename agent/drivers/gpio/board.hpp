// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/base/settings.hpp"

namespace watchroom::agent {

enum class LineBias { as_is, disabled, pull_up, pull_down };

/// A digital input of a controller under the name that is printed on its terminal.
struct BoardLine {
  std::string name;
  std::string chip;                                ///< "gpiochip0", a path or a chip's label; empty: any
  std::variant<unsigned, std::string> where = 0u;  ///< offset on the chip, or the kernel's name for the line
  bool is_active_low = false;
  LineBias bias = LineBias::as_is;
  std::chrono::milliseconds debounce{20};
};

/// A controller as data: boards/<board>/board.toml.
struct Board {
  std::string name;  ///< for people
  std::string source;
  std::vector<BoardLine> lines;

  /// Nothing when anything in the file is wrong; each wrong thing is in `problems`.
  static std::optional<Board> load(const std::filesystem::path& file, Problems& problems);
  static std::optional<Board> parse(std::string_view text, const std::string& file, Problems& problems);

  /// Null: it has none of that name.
  const BoardLine* line(std::string_view line_name) const;
};

/// share/watchroom/boards beside the program's own folder.
std::filesystem::path installed_boards_folder();

}  // namespace watchroom::agent
