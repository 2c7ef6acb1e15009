// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <mutex>

namespace watchroom::agent {

/// Prepares net-snmp for this process, the first time it is called: no MIB files, no configuration files, no
/// state outside `data_dir`. Sets environment variables; call it before there are threads.
void prepare_snmp_library(const std::filesystem::path& data_dir);

/// net-snmp keeps its SNMPv3 users and engine times in unguarded process-wide lists, so every call into it
/// is made while holding this. Nobody waits for a device while holding it.
std::unique_lock<std::mutex> lock_snmp_library();

}  // namespace watchroom::agent
