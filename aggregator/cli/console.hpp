// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace watchroom::cli {

using Json = nlohmann::ordered_json;

enum class Language { chinese, english };

/// Chinese unless the environment asks for English.
Language language_of_environment();

enum class Colour { plain, red, yellow, green, grey, bold };

/// How to speak to whoever runs the program.
struct Console {
  Language language = Language::chinese;
  bool is_json = false;
  bool has_colours = false;  ///< standard output is a terminal that wants them (NO_COLOR: no-color.org)

  std::string_view say(std::string_view chinese, std::string_view english) const {
    return language == Language::chinese ? chinese : english;
  }
  std::string coloured(std::string_view text, Colour colour) const;
};

/// What the program ends with.
enum Exit { exit_ok = 0, exit_refused = 1, exit_usage = 2 };

void print(std::string_view text);
/// A line of JSON that no terminal obeys, whatever people and devices wrote into it.
void print_json(const Json& json);
/// To standard error, with a line end.
void complain(std::string_view text);

}  // namespace watchroom::cli
