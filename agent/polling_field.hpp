// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/core/field.hpp"
#include "agent/drivers/host_names.hpp"
#include "agent/drivers/snmp/trap_tally.hpp"
#include "agent/polling/poller.hpp"

namespace watchroom::agent {

/// The polling side as the core sees it: a poller that is made anew with other settings, and the classes that
/// the centre gave. `clock` and `board` must outlive it.
class PollingField final : public Field {
 public:
  /// `classes` were given before, by device; names that are no class are passed over.
  PollingField(const Clock& clock, BusBoard& board, Log log,
               const std::map<std::string, std::string>& classes);

  /// Gives the devices what was found in them and the classes they were given; afterwards their descriptions
  /// can be announced.
  void prepare(AgentSettings& settings);
  void start(const AgentSettings& settings, const std::function<void(PollResult)>& deliver);
  /// Nothing is delivered after either returns; `finish` breaks no question off that is answered within
  /// `patience`.
  void stop();
  void finish(std::chrono::milliseconds patience);

  /// From any thread: something has happened to a device, given by its place in the settings.
  void hurry(std::size_t device, bool find_points);

  /// From any thread: sets a point of a device; an error while nothing is polled.
  void write(PointWrite write);

  void put_into_class(const std::string& device, ResourceClass resource_class) override;

  /// Where the devices' hosts are found, for who else needs them; kept when the settings are read anew.
  HostNames& names() { return names_; }
  /// What became of the traps of its devices.
  TrapTally& traps() { return traps_; }

 private:
  std::unique_ptr<Poller> taken();
  const Clock& clock_;
  BusBoard& board_;
  const Log log_;
  HostNames names_{{.patience = std::chrono::milliseconds{200}}};  // pollers are not to wait long
  TrapTally traps_;
  std::mutex mutex_;  // of what follows
  std::map<std::string, ResourceClass> given_;
  std::vector<std::string> ids_;
  std::optional<FoundPoints> found_;  // in the data folder, which only a restart changes
  std::unique_ptr<Poller> poller_;
};

}  // namespace watchroom::agent
