// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/identity/roles.hpp"

#include <cstdlib>

namespace watchroom::aggregator {
namespace {

struct Rights {
  Role role;
  std::string_view name;
  std::string_view chinese;
  bool view;
  bool acknowledge;
  bool set_class;
  bool switch_outputs;
  bool view_audit;
  bool manage_users;
  bool manage_agents;
};

constexpr std::array rights{
    // role, name, Chinese; view, acknowledge, set_class, switch_outputs, view_audit, manage_users,
    // manage_agents
    Rights{Role::viewer, "viewer", "观察员", true, false, false, false, false, false, false},
    Rights{Role::operator_, "operator", "值班员", true, true, true, false, false, false, false},
    Rights{Role::shift_lead, "shift_lead", "值班长", true, true, true, true, false, false, false},
    Rights{Role::administrator, "administrator", "管理员", true, true, true, true, true, true, true},
    Rights{Role::auditor, "auditor", "审计员", true, false, false, false, true, false, false},
};

struct ActionName {
  Action action;
  std::string_view name;
};

constexpr std::array actions{
    ActionName{Action::view, "view"},
    ActionName{Action::acknowledge, "acknowledge"},
    ActionName{Action::set_class, "set_class"},
    ActionName{Action::switch_outputs, "switch_outputs"},
    ActionName{Action::view_audit, "view_audit"},
    ActionName{Action::manage_users, "manage_users"},
    ActionName{Action::manage_agents, "manage_agents"},
};
static_assert(actions.size() == all_actions.size());

const Rights& of(Role role) {
  for (const Rights& row : rights)
    if (row.role == role) return row;
  std::abort();
}

}  // namespace

std::string_view name_of(Role role) { return of(role).name; }
std::string_view chinese_name_of(Role role) { return of(role).chinese; }

std::optional<Role> role_named(std::string_view name) {
  for (const Rights& row : rights)
    if (row.name == name) return row.role;
  return std::nullopt;
}

std::string_view name_of(Action action) {
  for (const ActionName& row : actions)
    if (row.action == action) return row.name;
  std::abort();
}

std::optional<Action> action_named(std::string_view name) {
  for (const ActionName& row : actions)
    if (row.name == name) return row.action;
  return std::nullopt;
}

bool may(Role role, Action action) {
  switch (action) {
    case Action::view: return of(role).view;
    case Action::acknowledge: return of(role).acknowledge;
    case Action::set_class: return of(role).set_class;
    case Action::switch_outputs: return of(role).switch_outputs;
    case Action::view_audit: return of(role).view_audit;
    case Action::manage_users: return of(role).manage_users;
    case Action::manage_agents: return of(role).manage_agents;
  }
  std::abort();
}

}  // namespace watchroom::aggregator
