// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/journal/journal.hpp"
#include "agent/polling/poll_result.hpp"
#include "proto/link/mqtt_session.hpp"
#include "proto/link/payload.hpp"

namespace watchroom::agent {

/// What the journal is like, as every NBIRTH and heartbeat says.
struct JournalFacts {
  std::string id;
  std::uint64_t head = 0;
  std::uint64_t oldest = 0;
  std::uint64_t lost = 0;
  JournalHealth health = JournalHealth::durable;
  std::int64_t moved_aside = 0;
  std::uint64_t dropped_polls = 0;

  /// Whether the centre should hear of `after` now rather than with the next heartbeat.
  bool is_trouble_beside(const JournalFacts& after) const {
    return health != after.health || moved_aside != after.moved_aside || (lost == 0 && after.lost > 0) ||
           (dropped_polls == 0 && after.dropped_polls > 0);
  }
};

Payload node_birth(std::uint8_t bd_seq, const std::string& name, std::chrono::seconds heartbeat,
                   const JournalFacts& journal, const std::string& challenge, Timestamp now);
Payload heartbeat(const JournalFacts& journal, const std::string& challenge, Timestamp now);
/// Will and NDEATH: the single metric bdSeq, no seq (topics-ndeath-payload, topics-ndeath-seq).
Payload node_death(std::uint8_t bd_seq, Timestamp now);

/// operational-behavior-data-publish-dbirth-order: values inside one payload are in time order.
void put_in_time_order(std::vector<Metric>& metrics);

std::string to_json(const std::map<std::int64_t, StateText>& states);
/// What people call the point; empty: as its kind.
std::string label_json(const std::optional<StateText>& label);

}  // namespace watchroom::agent
