// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/self/figures.hpp"

namespace watchroom::agent {

/// For tests: a bus of three devices, one of them lost.
inline BusRates tested_bus(const std::string& name) {
  BusRates bus;
  bus.counts.name = name;
  bus.counts.instance = instance_of_bus(name);
  bus.counts.threads = 1;
  bus.counts.devices = 3;
  bus.counts.living = 1;
  bus.counts.lost = 1;
  bus.counts.polls[static_cast<std::size_t>(Communication::ok)] = 90;
  bus.counts.polls[static_cast<std::size_t>(Communication::no_answer)] = 10;
  bus.counts.busy = std::chrono::milliseconds{12'345};
  bus.load = 0.25;
  bus.error_share = 0.1;
  bus.lateness = std::chrono::milliseconds{150};
  return bus;
}

/// For tests: an agent that knows everything of itself.
inline SelfFigures tested_figures() {
  using namespace std::chrono_literals;
  SelfFigures figures;
  figures.at = from_ms(1'800'000'100'000);
  figures.started_at = from_ms(1'800'000'000'000);
  figures.started = Steady{1'000s};
  figures.steady = Steady{1'100s};
  figures.process = {.cpu_s = 1.5,
                     .resident_bytes = 20'000'000,
                     .anonymous_bytes = 6'000'000,
                     .threads = 7,
                     .open_descriptors = 25,
                     .most_descriptors = 1000,
                     .written_bytes = 409'600};
  figures.cpu_share = 0.015;
  figures.written_in_a_day = 409'600;
  figures.disk = {.size_bytes = 10'000'000'000,
                  .free_bytes = 4'000'000'000,
                  .used_ratio = 0.6,
                  .is_read_only = false,
                  .counts_errors = true,
                  .errors = 0};
  figures.machine = {.load_1min = 0.42,
                     .memory_available_bytes = 500'000'000,
                     .has_thermometer = true,
                     .temperature_celsius = 48.5};
  figures.clock = {.is_synchronised = true, .offset_s = -0.0012, .most_error_s = 0.03};
  figures.certificates = {{"client", CertificateState::valid, 20.5 * 86'400},
                          {"ca", CertificateState::valid, 3000.0 * 86'400}};
  figures.buses = {tested_bus("/dev/ttyS1"), tested_bus("snmp")};
  figures.traps.not_authentic = 3;
  figures.judge = {{{"smoke", ReactionState::raised}}, {{"siren", OutputState::on, 7, 2}}, {}, "无 none"};
  figures.orders = {4, true, from_ms(1'799'999'000'000)};
  figures.core.journal.waiting = 12;
  figures.core.journal.oldest_at = from_ms(1'800'000'095'000);
  figures.core.connected_since = Steady{1'010s};
  figures.core.sessions = 1;
  figures.core.mailbox_fill = 4;
  figures.core.mailbox_room = 4096;
  return figures;
}

}  // namespace watchroom::agent
