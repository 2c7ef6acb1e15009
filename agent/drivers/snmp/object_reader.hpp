// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "agent/drivers/snmp/session.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// Reads many objects of one device in few requests, and adapts to what the device can take: smaller requests
/// after "too big", fewer rows after a walk that timed out, and slowly more again, one object left out where
/// an agent refuses the whole request for it.
class ObjectReader {
 public:
  ObjectReader(SnmpSession& session, const SnmpTraits& traits, bool has_bulk)
      : session_{session},
        most_objects_{traits.max_objects},
        most_repetitions_{traits.max_repetitions},
        repetitions_{traits.max_repetitions},
        has_bulk_{has_bulk} {}

  /// The objects that are there. `patient`: ask a second time after a time-out.
  Result<std::map<Oid, ObjectValue>> get(const std::vector<Oid>& oids, bool patient);
  /// The same for what is asked again and again: objects that are not there are left out for 10 s, then twice
  /// as long each time, up to a minute.
  Result<std::map<Oid, ObjectValue>> poll(const std::vector<Oid>& oids, bool patient, Steady now);
  /// As if nothing had ever been missing.
  void forget_absences() { absences_.clear(); }
  /// What stands below a column, by index.
  Result<std::map<Oid, ObjectValue>> column(const Oid& column);
  /// Those of `subtrees` in which the device has anything.
  Result<std::set<Oid>> present(const std::vector<Oid>& subtrees);

 private:
  using Take = std::function<void(const Oid& asked, Varbind got)>;
  /// Asks for all, in as many requests as it takes.
  Result<void> ask(SnmpOperation operation, const std::vector<Oid>& oids, bool patient, const Take& take);
  Result<void> ask_batch(SnmpOperation operation, std::vector<Oid> oids, bool patient, const Take& take);
  Result<void> ask_in_halves(SnmpOperation operation, const std::vector<Oid>& oids, bool patient,
                             const Take& take);
  std::vector<Oid> without_absent(const std::vector<Oid>& oids, Steady now) const;
  Result<SnmpReply> next_rows(const Oid& after);
  void grow();

  SnmpSession& session_;
  int most_objects_;
  int most_repetitions_;
  int repetitions_;
  int good_replies_ = 0;           // since repetitions_ last changed
  int good_replies_to_grow_ = 20;  // doubles each time it proved too much again
  bool has_bulk_;
  bool was_denied_ = false;  // an object, in the last get
  struct Absence {
    int times = 0;
    Steady again_at{};
  };
  std::map<Oid, Absence> absences_;
};

}  // namespace watchroom::agent
