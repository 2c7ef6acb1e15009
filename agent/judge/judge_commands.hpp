// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "agent/judge/local_judge.hpp"

namespace watchroom::agent {

constexpr std::chrono::hours longest_inhibit{24};

/// What `watchroom-agent inhibit` and `reset` ask of the running agent, and its answer, JSON objects:
/// `error`, or what was `done`, and as `warning` what is not as it should be.
std::string answer_command(LocalJudge& judge, const std::string& request);

}  // namespace watchroom::agent
