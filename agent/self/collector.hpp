// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>

#include "agent/self/certificate_watch.hpp"
#include "agent/self/kernel_files.hpp"
#include "agent/self/slope.hpp"

namespace watchroom::agent {

/// What belongs to others and is told by them; called from the self thread.
struct SelfSources {
  std::function<std::vector<BusSnapshot>()> buses;
  std::function<CoreFigures()> core;
  std::function<TrapCounts()> traps = {};                   ///< empty: there are none
  std::function<JudgeFigures()> judge = {};                 ///< empty: there is none
  std::function<ConfigurationReport()> configuration = {};  ///< empty: agent.toml alone
  std::function<OrderFigures()> orders = {};                ///< empty: none are taken
};

/// The files that matter to the agent's own health.
struct SelfFiles {
  std::filesystem::path data_dir;
  std::filesystem::path ca_file;
  std::filesystem::path certificate_file;
};

/// Gathers the figures, and remembers what rates and means need. Costs a dozen small reads of the kernel's
/// files, so it may be asked as often as somebody looks. One thread; `clock` must outlive it.
class Collector {
 public:
  Collector(SelfFiles files, SelfSources sources, const Clock& clock, KernelFolders folders = {});

  SelfFigures collect();

 private:
  struct BusHistory {
    Slope busy_s{std::chrono::minutes{1}};
    Slope polls{std::chrono::minutes{5}};
    Slope failures{std::chrono::minutes{5}};
    Widest lateness{std::chrono::minutes{5}};
    std::optional<double> error_share;
  };
  std::vector<BusRates> rates(Steady now);
  static BusRates rates_of(BusSnapshot counts, BusHistory& history, Steady now);

  const SelfFiles files_;
  const SelfSources sources_;
  const Clock& clock_;
  const KernelFolders folders_;
  const MachineFiles machine_;
  const Steady started_;
  const Timestamp started_at_;
  Steady collected_;  // the last time
  CertificateWatch certificate_;
  CertificateWatch authority_;
  Slope cpu_s_{std::chrono::minutes{1}};
  Slope written_{std::chrono::hours{24}};
  std::map<std::string, BusHistory> histories_;  // by instance
};

/// Who has not come by in time, each as a sentence: a thread that is stuck.
std::vector<std::string> who_is_missing(const SelfFigures& figures);

/// Why the room is not watched as it should be, each as a sentence; empty when it is.
std::vector<std::string> complaints_about(const SelfFigures& figures);

}  // namespace watchroom::agent
