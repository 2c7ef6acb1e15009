// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/command_line.hpp"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "proto/base/utf8.hpp"

namespace watchroom::command_line {
namespace {

using Json = nlohmann::ordered_json;

void complain(const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "{}{}", text, text.ends_with('\n') ? "" : "\n");
}

}  // namespace

void print_json(const Json& json) {
  fmt::print("{}\n", without_controls_in_json(json.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

int give_up(std::string_view program, const Error& error, bool is_json) {
  if (is_json) print_json({{"error", {{"code", name_of(error.code)}, {"text", error.text}}}});
  complain(fmt::format("{}: {}", program, error.text));
  return error.code == Errc::invalid ? wrong_input : failed;
}

int give_up(const Problems& problems, bool is_json) {
  if (is_json) {
    Json all = Json::array();
    for (const Problem& one : problems.all())
      all.push_back({{"file", one.file}, {"line", one.line}, {"field", one.field}, {"text", one.text}});
    print_json(
        {{"error",
          {{"code", name_of(Errc::invalid)}, {"text", problems.str()}, {"problems", std::move(all)}}}});
  }
  complain(problems.str());
  return wrong_input;
}

}  // namespace watchroom::command_line
