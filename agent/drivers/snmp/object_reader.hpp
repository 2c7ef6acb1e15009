// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <vector>

#include "agent/drivers/snmp/session.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// Reads many objects of one device in few requests, and adapts to what the device can take: smaller requests
/// after "too big", fewer rows after a walk that timed out, one object left out where an SNMPv1 agent refuses
/// the whole request for it.
class ObjectReader {
 public:
  ObjectReader(SnmpSession& session, const SnmpTraits& traits, bool has_bulk)
      : session_{session},
        most_objects_{traits.max_objects},
        repetitions_{traits.max_repetitions},
        has_bulk_{has_bulk} {}

  /// The objects that are there. `patient`: ask a second time after a time-out.
  Result<std::map<Oid, ObjectValue>> get(const std::vector<Oid>& oids, bool patient);
  /// The indices below a column, in order.
  Result<std::vector<Oid>> rows_of(const Oid& column);

 private:
  Result<void> get_batch(std::vector<Oid> oids, bool patient, std::map<Oid, ObjectValue>& found);
  Result<SnmpReply> next_rows(const Oid& after);

  SnmpSession& session_;
  int most_objects_;
  int repetitions_;
  bool has_bulk_;
};

}  // namespace watchroom::agent
