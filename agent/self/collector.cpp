// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/collector.hpp"

#include <numeric>

#include <fmt/format.h>

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

// A broker that restarts is back sooner.
constexpr auto session_may_be_missing = 30s;

std::uint64_t count(const BusSnapshot& bus, Communication what) {
  return bus.polls[static_cast<std::size_t>(what)];
}

std::string missing_for(std::string_view who, Steady now, Steady back_by) {
  return fmt::format("{} should have come by {} s ago", who, (now - back_by) / 1s);
}

}  // namespace

Collector::Collector(SelfFiles files, SelfSources sources, const Clock& clock, KernelFolders folders)
    : files_{std::move(files)},
      sources_{std::move(sources)},
      clock_{clock},
      folders_{std::move(folders)},
      machine_{folders_},
      started_{clock_.steady()},
      started_at_{clock_.now()},
      collected_{started_},
      certificate_{"client", files_.certificate_file, CertificateFile::chain},
      authority_{"ca", files_.ca_file, CertificateFile::bundle} {
  cpu_s_.add(started_, read_process(folders_).cpu_s.value_or(0.0));
  written_.add(started_, 0.0);
}

SelfFigures Collector::collect() {
  SelfFigures figures;
  figures.at = clock_.now();
  figures.steady = clock_.steady();
  figures.started = started_;
  figures.started_at = started_at_;
  figures.process = read_process(folders_);
  if (figures.process.cpu_s) {
    cpu_s_.add(figures.steady, *figures.process.cpu_s);
    figures.cpu_share = cpu_s_.per_second();
  }
  if (figures.process.written_bytes) {
    written_.add(figures.steady, static_cast<double>(*figures.process.written_bytes));
    figures.written_in_a_day = static_cast<std::uint64_t>(written_.rise());
  }
  figures.disk = read_disk(files_.data_dir, folders_);
  figures.machine = machine_.read();
  figures.clock = read_kernel_clock();
  figures.certificates = {certificate_.look(figures.at), authority_.look(figures.at)};
  figures.buses = rates(figures.steady);
  figures.core = sources_.core();
  if (sources_.traps) figures.traps = sources_.traps();
  if (sources_.configuration) figures.configuration = sources_.configuration();
  if (sources_.orders) figures.orders = sources_.orders();
  if (sources_.judge) figures.judge = sources_.judge();
  collected_ = figures.steady;
  return figures;
}

std::vector<BusRates> Collector::rates(Steady now) {
  std::vector<BusRates> all;
  std::map<std::string, BusHistory> histories;
  for (BusSnapshot& counts : sources_.buses()) {
    const std::string instance = counts.instance;
    const auto known = histories_.find(instance);
    BusHistory history;
    if (known != histories_.end()) {
      history = std::move(known->second);
    } else {  // a bus that is new since the last look began with nothing
      history.busy_s.add(collected_, 0);
      history.polls.add(collected_, 0);
      history.failures.add(collected_, 0);
    }
    all.push_back(rates_of(std::move(counts), history, now));
    histories.emplace(instance, std::move(history));
  }
  histories_ = std::move(histories);
  return all;
}

BusRates Collector::rates_of(BusSnapshot counts, BusHistory& history, Steady now) {
  BusRates rates;
  const std::uint64_t all = std::accumulate(counts.polls.begin(), counts.polls.end(), std::uint64_t{0}) -
                            count(counts, Communication::unknown);
  history.busy_s.add(now, std::chrono::duration<double>(counts.busy).count());
  history.polls.add(now, static_cast<double>(all));
  history.failures.add(now, static_cast<double>(all - count(counts, Communication::ok)));
  history.lateness.add(now, counts.lateness);
  if (const auto busy = history.busy_s.per_second(); busy && counts.threads > 0)
    rates.load = std::min(1.0, *busy / static_cast<double>(counts.threads));
  // What is asked once a day keeps its share until it is asked again.
  if (history.polls.rise() > 0) history.error_share = history.failures.rise() / history.polls.rise();
  rates.error_share = history.error_share;
  rates.lateness = history.lateness.value();
  rates.counts = std::move(counts);
  return rates;
}

std::vector<std::string> who_is_missing(const SelfFigures& figures) {
  std::vector<std::string> missing;
  const Steady now = figures.steady;
  if (figures.core.back_by < now)
    missing.push_back(missing_for("the core thread", now, figures.core.back_by));
  for (const BusRates& bus : figures.buses)
    if (bus.counts.back_by < now)
      missing.push_back(
          missing_for(fmt::format("a thread of the bus {}", bus.counts.name), now, bus.counts.back_by));
  return missing;
}

std::vector<std::string> complaints_about(const SelfFigures& figures) {
  std::vector<std::string> complaints = who_is_missing(figures);
  const CoreFigures& core = figures.core;
  if (core.journal.health == JournalHealth::memory_only)
    complaints.emplace_back("the journal is in memory only");
  if (core.journal.health == JournalHealth::failing)
    complaints.emplace_back("the journal cannot be written as it should");
  if (!core.connected_since && figures.steady - core.disconnected_since >= session_may_be_missing)
    complaints.push_back(
        fmt::format("no session at the broker for {} s", (figures.steady - core.disconnected_since) / 1s));
  for (const CertificateFigures& one : figures.certificates) {
    if (one.state == CertificateState::expired)
      complaints.push_back(fmt::format("the {} certificate has run out", one.name));
    if (one.state == CertificateState::unreadable)
      complaints.push_back(fmt::format("the {} certificate cannot be read", one.name));
  }
  for (const OutputFigures& output : figures.judge.outputs)
    if (output.state == OutputState::failed)
      complaints.push_back(fmt::format("the output {} is not as it should be", output.name));
  if (figures.judge.inhibit.is_inhibited)
    complaints.push_back(fmt::format("reactions are inhibited by {}", figures.judge.inhibit.owner));
  return complaints;
}

}  // namespace watchroom::agent
