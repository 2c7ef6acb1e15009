// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/console.hpp"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "proto/base/utf8.hpp"

namespace watchroom::cli {

Language language_of_environment() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {  // in this order: POSIX.1-2017 section 8.2
    const char* value = std::getenv(name);
    if (value && *value)
      return std::string_view{value}.starts_with("en") ? Language::english : Language::chinese;
  }
  return Language::chinese;
}

std::string Console::coloured(std::string_view text, Colour colour) const {
  if (!has_colours || colour == Colour::plain) return std::string{text};
  int code = 0;  // ECMA-48 section 8.3.117
  switch (colour) {
    case Colour::plain: code = 0; break;
    case Colour::bold: code = 1; break;
    case Colour::red: code = 31; break;
    case Colour::green: code = 32; break;
    case Colour::yellow: code = 33; break;
    case Colour::grey: code = 90; break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const Json& json) {
  print(without_controls_in_json(json.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n");
}

void complain(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
  if (!text.ends_with('\n')) std::fputc('\n', stderr);
}

}  // namespace watchroom::cli
