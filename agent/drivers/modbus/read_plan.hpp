// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <vector>

#include "agent/drivers/modbus/register_image.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// Which requests read a device: neighbouring spans are merged up to its limits. Learns from refusals: a
/// request answered with "illegal data address", or never, is cut until the refused spans stand alone, and
/// those are left out for a while: 10 s, then twice as long each time, up to 10 min.
class ReadPlan {
 public:
  ReadPlan(std::vector<RegisterSpan> spans, const ModbusTraits& limits);

  bool is_empty() const { return is_empty_; }
  /// The requests of one round. Stays valid until the next `refuse` or `accept`.
  const std::vector<ReadRequest>& requests() const { return requests_; }
  /// A device refused request `index` with an address or value exception. True: the request was cut, ask the
  /// pieces, which now stand at `index` and behind it. False: it was a single span, left out from now on.
  bool refuse(std::size_t index, int exception, Steady now);
  /// Request `index` was answered; gives the index of the next. A span that had been left out joins its
  /// neighbours again in the next round.
  std::size_t accept(std::size_t index);
  /// Whether request `index` is a span that was left out, and has another chance.
  bool is_on_trial(std::size_t index) const;
  /// Asks request `index` last from the next round on.
  void postpone(std::size_t index);
  /// How many times in a row a span was refused alone.
  int times_refused(const RegisterSpan& span) const;
  /// Starts over as if nothing had been refused.
  void forget();
  /// Begins a round: takes spans back in whose time has come; they are asked alone.
  void readmit(Steady now);
  /// Why a span is left out; 0: it is not.
  int refusal(const RegisterSpan& span) const;

 private:
  struct Refusal {
    int exception = 0;
    int times = 0;
    Steady retry_at{};
    bool is_left_out = true;
  };
  using Group = std::vector<RegisterSpan>;
  void group(const std::vector<RegisterSpan>& spans);
  bool is_parted(const Group& group, const RegisterSpan& span) const;
  void rebuild();

  ModbusTraits limits_;
  bool is_empty_;               // nothing to read, also when nothing is refused
  std::vector<Group> groups_;   // each sorted, one request each
  bool has_newcomers_ = false;  // readmitted spans that were answered
  std::vector<ReadRequest> requests_;
  std::map<RegisterSpan, Refusal> refused_;
};

}  // namespace watchroom::agent
