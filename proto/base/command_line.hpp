// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "proto/base/result.hpp"
#include "proto/base/settings.hpp"

/// What the three programs have in common for whoever runs them, person or script.
namespace watchroom::command_line {

enum Exit : int { done = 0, failed = 1, wrong_input = 2 };

constexpr const char* about_exit_codes =
    "退出码 / Exit codes: 0 完成 / done; 1 未成功 / it did not work; "
    "2 用法、输入或配置有误 / wrong usage, input or settings.";
constexpr const char* about_help = "显示本帮助 / print this help";
constexpr const char* about_version = "显示版本 / print the version";
constexpr const char* about_json = "输出 JSON，出错时也是 / print JSON, errors too";

/// One line on standard output, which no terminal obeys, whatever stands in it.
void print_json(const nlohmann::ordered_json& json);
/// The sentence on standard error; with JSON also `{"error":{"code","text"}}` on standard output. The exit
/// code.
int give_up(std::string_view program, const Error& error, bool is_json);
/// What is wrong with settings; with JSON `error.problems` lists each with file, line, field and text.
int give_up(const Problems& problems, bool is_json);

}  // namespace watchroom::command_line
