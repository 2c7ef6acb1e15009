// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_users.hpp"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

namespace watchroom::agent {
void TrapUsers::prepare(const std::string& engine_id, const SnmpAddress& snmp, const SnmpSecrets& secrets) {
  fresh_.reset();
  if (engine_id.empty()) return;
  // One that is known may have the keys of another device, or those of yesterday.
  const bool was_known = forget_library_user(engine_id, snmp.user);
  if (!was_known && !is_ours(engine_id)) fresh_ = Fresh{engine_id, snmp.user};
  set_library_user(engine_id, snmp, secrets);
}

void TrapUsers::settle(bool is_authentic) {
  if (fresh_ && !is_authentic) {
    forget_library_user(fresh_->engine_id, fresh_->user);
    free_enginetime(reinterpret_cast<unsigned char*>(fresh_->engine_id.data()), fresh_->engine_id.size());
  }
  fresh_.reset();
}

SecurityCounts SecurityCounts::now() {
  return {snmp_get_statistic(STAT_USMSTATSUNKNOWNUSERNAMES), snmp_get_statistic(STAT_USMSTATSWRONGDIGESTS),
          snmp_get_statistic(STAT_USMSTATSUNSUPPORTEDSECLEVELS),
          snmp_get_statistic(STAT_USMSTATSDECRYPTIONERRORS)};
}

}  // namespace watchroom::agent
