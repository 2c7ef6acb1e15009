// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_users.hpp"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

namespace watchroom::agent {
namespace {

const u_char* bytes_of(const std::string& text) { return reinterpret_cast<const u_char*>(text.data()); }

void forget(const std::string& engine_id, const std::string& name) {
  usmUser* user = usm_get_user(bytes_of(engine_id), engine_id.size(), name.c_str());
  if (!user) return;
  usm_remove_user(user);
  usm_free_user(user);
}

}  // namespace

void TrapUsers::prepare(const std::string& engine_id, const SnmpAddress& snmp, const SnmpSecrets& secrets) {
  fresh_.reset();
  if (engine_id.empty()) return;
  const bool is_known = usm_get_user(bytes_of(engine_id), engine_id.size(), snmp.user.c_str()) != nullptr;
  if (is_ours(engine_id)) {
    const auto known = ours_.find(snmp.user);
    if (is_known && known != ours_.end() && known->second == secrets) return;
    if (is_known) forget(engine_id, snmp.user);
    ours_[snmp.user] = secrets;
  } else if (is_known) {
    return;  // made when the device was polled, or by a trap that proved right
  } else {
    fresh_ = Fresh{engine_id, snmp.user};
  }
  std::string engine = engine_id;
  netsnmp_session session;
  snmp_sess_init(&session);
  session.version = SNMP_VERSION_3;
  fill_user(session, snmp, secrets);
  session.securityEngineID = reinterpret_cast<u_char*>(engine.data());
  session.securityEngineIDLen = engine.size();
  usm_create_user_from_session(&session);
}

void TrapUsers::settle(bool is_authentic) {
  if (fresh_ && !is_authentic) {
    forget(fresh_->engine_id, fresh_->user);
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
