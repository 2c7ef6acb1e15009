// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <vector>

#include "agent/drivers/modbus/register_image.hpp"
#include "proto/base/clock.hpp"

namespace watchroom::agent {

/// Which requests read a device: neighbouring spans are merged up to its limits. Learns from refusals: a
/// request answered with "illegal data address" is cut until the refused spans stand alone, and those are
/// left out for a while.
class ReadPlan {
 public:
  ReadPlan(std::vector<RegisterSpan> spans, const ModbusLimits& limits);

  /// The requests of one round. Stays valid until the next `refuse`.
  const std::vector<ReadRequest>& requests() const { return requests_; }
  /// A device refused request `index` with an address or value exception. True: the request was cut, ask the
  /// pieces, which now stand at `index` and behind it. False: it was a single span, left out until
  /// `retry_at`.
  bool refuse(std::size_t index, int exception, Steady retry_at);
  /// Takes spans back in whose time has come; they are asked alone.
  void readmit(Steady now);
  /// Why a span is left out; 0: it is not.
  int refusal(const RegisterSpan& span) const;

 private:
  struct Refusal {
    int exception = 0;
    Steady retry_at{};
  };
  void rebuild();

  ModbusLimits limits_;
  std::vector<std::vector<RegisterSpan>> groups_;  // each sorted, one request each
  std::vector<ReadRequest> requests_;
  std::map<RegisterSpan, Refusal> refused_;
};

}  // namespace watchroom::agent
