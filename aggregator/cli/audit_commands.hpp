// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <string>

#include "aggregator/cli/client.hpp"
#include "aggregator/cli/console.hpp"

/// `watchroom audit …`. What is verified is computed here, from the entries: the server is not believed.
namespace watchroom::cli {

/// Times are RFC 3339 UTC; empty: no bound.
struct AuditSpan {
  std::string since, until;
};

int list_audit(const Client& client, const Console& console, const AuditSpan& span, std::int64_t limit);
/// To `file`, which must not exist; empty: to standard output. JSON Lines.
int export_audit(const Client& client, const Console& console, const AuditSpan& span,
                 const std::string& file);
/// The whole log of the server. `expected`: a head noted before; empty: none.
int verify_audit(const Client& client, const Console& console, const std::string& expected);
/// An exported file; needs no server.
int verify_audit_file(const Console& console, const std::string& file, const std::string& expected);

}  // namespace watchroom::cli
