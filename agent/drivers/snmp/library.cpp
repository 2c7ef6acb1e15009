// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/library.hpp"

#include <cstdlib>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

namespace watchroom::agent {
namespace {

bool prepare(const std::filesystem::path& data_dir) {
  const std::string folder = (data_dir / "snmp").string();
  ::setenv("SNMP_PERSISTENT_DIR", folder.c_str(), 1);
  ::setenv("SNMPCONFPATH", folder.c_str(), 1);
  ::setenv("MIBS", "", 1);
  for (const int option : {NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE})
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, option, 1);
  // What matters comes back as an error, once.
  netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);
  init_snmp("watchroom-agent");
  return true;
}

}  // namespace

void prepare_snmp_library(const std::filesystem::path& data_dir) {
  // A process-wide library can only be prepared once a process; the language makes this once thread-safe.
  [[maybe_unused]] static const bool prepared = prepare(data_dir);
}

std::unique_lock<std::mutex> lock_snmp_library() {
  // Guards the library's own globals, hence one a process.
  static std::mutex mutex;
  return std::unique_lock{mutex};
}

}  // namespace watchroom::agent
