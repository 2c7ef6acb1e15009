// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>

#include <sys/types.h>

#include "agent/judge/judge_settings.hpp"
#include "agent/settings/agent_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"

namespace watchroom::agent {

bool needs_guardian(const JudgeSettings& settings);

/// The agent's hold on its guardian: a process of its own that waits for our end, whatever ends us, and then
/// gives each output the state that it declares for that. From any thread.
class Guardian {
 public:
  Guardian(std::filesystem::path settings_file, Log log);
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;
  /// Lets go: what remains of it then takes us for dead.
  ~Guardian() = default;

  /// A new one, for the settings as they are now; the one before is sent away.
  void renew(const JudgeSettings& settings);
  /// One that has ended is replaced, and told.
  void look(Steady now);

 private:
  void start();

  const std::filesystem::path settings_file_;
  const Log log_;
  std::mutex mutex_;  // of what follows
  bool is_needed_ = false;
  pid_t process_ = -1;
  int pipe_ = -1;  // our end; that it closes is how our death is known
  std::optional<Steady> replaced_at_;
};

/// `watchroom-agent guard FILE`: the guardian itself; the agent starts it with its standard input as the
/// pipe. `load` gives the settings that the agent runs with.
using LoadSettings = std::function<std::optional<AgentSettings>(const std::filesystem::path&, Problems&)>;
int guard_command(const std::filesystem::path& settings_file, const LoadSettings& load);

}  // namespace watchroom::agent
