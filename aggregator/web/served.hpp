// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "aggregator/audit/audit_log.hpp"
#include "aggregator/configurations/configurations.hpp"
#include "aggregator/identity/refusal_tally.hpp"
#include "aggregator/identity/users.hpp"
#include "aggregator/live/agent_identities.hpp"
#include "aggregator/live/room.hpp"
#include "aggregator/outputs/outputs.hpp"

namespace watchroom::aggregator {

/// All that pages and API work on.
struct Served {
  Room& room;
  AgentIdentities& identities;
  Configurations& configurations;
  Outputs& outputs;
  Users& users;
  AuditLog& audit;
  RefusalTally& refusals;
};

}  // namespace watchroom::aggregator
