// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace watchroom::aggregator {

/// In Chinese 观察员, 值班员, 值班长, 管理员, 审计员.
enum class Role { viewer, operator_, shift_lead, administrator, auditor };

inline constexpr std::array all_roles{Role::viewer, Role::operator_, Role::shift_lead, Role::administrator,
                                      Role::auditor};

/// What a person or program can ask of the aggregator.
enum class Action {
  view,            ///< the room, its alarms, agents, figures
  acknowledge,     ///< an alarm
  set_class,       ///< of a device: how often and how much it is asked
  switch_outputs,  ///< sirens, valves, outlets
  view_audit,      ///< who did what, and who was not let
  manage_users,
  manage_agents,  ///< let agents in, out for good, and say what they are to be like
};

inline constexpr std::array all_actions{Action::view,           Action::acknowledge, Action::set_class,
                                        Action::switch_outputs, Action::view_audit,  Action::manage_users,
                                        Action::manage_agents};

/// The word in users.toml and in the API: "shift_lead".
std::string_view name_of(Role role);
std::string_view chinese_name_of(Role role);
std::optional<Role> role_named(std::string_view name);

/// The word in a token's `actions`: "set_class".
std::string_view name_of(Action action);
std::optional<Action> action_named(std::string_view name);

/// The one table of rights. Every route names the action it needs; nothing else decides.
bool may(Role role, Action action);

}  // namespace watchroom::aggregator
