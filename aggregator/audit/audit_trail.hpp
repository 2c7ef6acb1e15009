// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <string>

namespace watchroom::aggregator {

enum class Outcome : std::uint8_t {
  done,
  refused,  ///< not allowed, or not with this proof
  failed,   ///< allowed, but it could not be done
};

/// Something a person, a program or an agent did to the house, or was not let do.
struct AuditEvent {
  std::string who = {};     ///< user name, "token USER/NAME", "agent CN", "system"; as claimed when refused
  std::string from = {};    ///< network address; empty: on this machine
  std::string action = {};  ///< "session.open", "alarm.acknowledge", "agent.enrol": noun.verb
  std::string object = {};  ///< what it was done to: "alarm 17", "hall1/cabinet3"; may be empty
  Outcome outcome = Outcome::done;
  std::string detail = {};  ///< free text: comment, reason, old and new value; never a secret
};

/// Where such things are written down so that nobody can change them unseen. Thread-safe; an event that the
/// disk refuses is kept in memory and tried again, and is an alarm: it never keeps anybody from acting.
class AuditTrail {
 public:
  AuditTrail() = default;
  AuditTrail(const AuditTrail&) = delete;
  AuditTrail& operator=(const AuditTrail&) = delete;
  virtual ~AuditTrail() = default;

  virtual void record(AuditEvent event) = 0;
  /// Why it cannot be written down at the moment; empty: it can.
  virtual std::string trouble() const { return {}; }
};

}  // namespace watchroom::aggregator
