// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/clock/kernel_clock.hpp"
#include "agent/core/core_figures.hpp"
#include "agent/drivers/snmp/trap_tally.hpp"
#include "agent/judge/judge_figures.hpp"
#include "agent/orders/configuration_keeper.hpp"
#include "agent/orders/order_intake.hpp"
#include "agent/polling/bus_figures.hpp"

namespace watchroom::agent {

/// Of this process; what the kernel does not tell is absent.
struct ProcessFigures {
  std::optional<double> cpu_s;  ///< user and system, ever
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> anonymous_bytes;
  std::optional<std::uint64_t> threads;
  std::optional<std::uint64_t> open_descriptors;
  std::optional<std::uint64_t> most_descriptors;
  std::optional<std::uint64_t> written_bytes;  ///< to block devices, ever
};

/// Of the file system that data_dir is on.
struct DiskFigures {
  std::optional<std::uint64_t> size_bytes;
  std::optional<std::uint64_t> free_bytes;  ///< that we may have: what is kept for root is not ours
  std::optional<double> used_ratio;         ///< of what users may have, as `df` has it
  std::optional<bool> is_read_only;
  bool counts_errors = false;  ///< the file system does (ext4)
  std::optional<std::uint64_t> errors;
};

struct MachineFigures {
  std::optional<double> load_1min;
  std::optional<std::uint64_t> memory_available_bytes;
  bool has_thermometer = false;
  std::optional<double> temperature_celsius;  ///< the hottest zone
};

enum class CertificateState : std::int64_t { valid = 0, not_yet = 1, expired = 2, unreadable = 3 };

struct CertificateFigures {
  std::string name;  ///< "client", "ca"
  CertificateState state = CertificateState::unreadable;
  std::optional<double> remaining_s;  ///< negative when it has expired
};

/// A bus's counters, and what they come to over the last minutes.
struct BusRates {
  BusSnapshot counts;
  std::optional<double> load;            ///< share of the last minute in which its threads were busy, 0 to 1
  std::optional<double> error_share;     ///< of the polls of the last 5 minutes; absent when there were none
  std::chrono::milliseconds lateness{};  ///< the widest of the last 5 minutes
};

/// All that the agent knows of itself, at one moment.
struct SelfFigures {
  Timestamp at{};
  Steady steady{};
  Steady started{};
  Timestamp started_at{};
  ProcessFigures process;
  std::optional<double> cpu_share;                ///< of one core, mean of the last minute
  std::optional<std::uint64_t> written_in_a_day;  ///< bytes in the last 24 hours
  DiskFigures disk;
  MachineFigures machine;
  KernelClock clock;
  std::vector<CertificateFigures> certificates;
  std::vector<BusRates> buses;
  TrapCounts traps;
  JudgeFigures judge;
  CoreFigures core;
  ConfigurationReport configuration;
  OrderFigures orders;
};

}  // namespace watchroom::agent
