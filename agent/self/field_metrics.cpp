// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/field_metrics.hpp"

#include "agent/self/metric_states.hpp"

namespace watchroom::agent {

void devices_of_buses(const SelfFigures& figures, MetricValues& told) {
  for (const BusRates& bus : figures.buses) {
    const BusSnapshot& counts = bus.counts;
    told.push_back({number(counts.living), {counts.name, "living"}});
    told.push_back({number(counts.lost), {counts.name, "lost"}});
    told.push_back({number(counts.devices - counts.living - counts.lost), {counts.name, "not_asked"}});
  }
}

void polls_of_buses(const SelfFigures& figures, MetricValues& told) {
  for (const BusRates& bus : figures.buses)
    for (std::size_t i = 0; i < communication_count; ++i)
      if (const auto what = static_cast<Communication>(i); what != Communication::unknown)
        told.push_back({number(bus.counts.polls[i]), {bus.counts.name, name_of(what)}});
}

void traps_by_result(const SelfFigures& figures, MetricValues& told) {
  const TrapCounts& traps = figures.traps;
  told.push_back({number(traps.accepted), {"accepted"}});
  told.push_back({number(traps.duplicates), {"duplicate"}});
  told.push_back({number(traps.unknown_sender), {"unknown_sender"}});
  told.push_back({number(traps.not_authentic), {"not_authentic"}});
  told.push_back({number(traps.malformed), {"malformed"}});
  told.push_back({number(traps.untold), {"untold"}});
}

}  // namespace watchroom::agent
