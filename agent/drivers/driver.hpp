// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/drivers/host_names.hpp"
#include "agent/profiles/profile_grammar.hpp"
#include "agent/settings/agent_settings.hpp"
#include "proto/base/clock.hpp"
#include "proto/base/log.hpp"
#include "proto/base/result.hpp"
#include "proto/model/reading.hpp"

namespace watchroom::agent {

using Profiles = std::vector<std::shared_ptr<const Profile>>;

/// What one round of questions to one device brought: one reading a source, in their order.
struct Answer {
  Communication communication = Communication::unknown;
  std::string text;  ///< a sentence when the device could not be read, else empty
  std::vector<Reading> readings;
};

/// Every point stale: the device could not be read at all.
Answer silent_answer(const Error& error, std::size_t points, Timestamp at);

/// Takes the answer of one of several devices that are read together.
using TakeAnswer = std::function<void(std::size_t device, Answer answer)>;

/// What became of a value that was sent to a device.
struct WriteOutcome {
  /// Why it is not known whether the device did it, else empty: then what was read back decides.
  std::string doubt;
  Reading read_back;    ///< stale when it could not be read
  bool agrees = false;  ///< what was read back is what was written
};

/// The devices of one line or peer. Used by one thread at a time, or, where the driver is concurrent, by one
/// at a time for each device; every call returns within about the
/// device's reply time-out, and sooner when its context's stop is requested.
class Bus {
 public:
  Bus() = default;
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  virtual ~Bus() = default;

  /// Reads every source of a device, given by its index in the list the bus was made with.
  virtual Answer read(std::size_t device) = 0;
  /// The same for several, together where the driver can: `take` is called once for each, as soon as its
  /// answer is there.
  virtual void read_several(std::span<const std::size_t> devices, const TakeAnswer& take) {
    for (const std::size_t device : devices) take(device, read(device));
  }
  /// Asks which optional points and table rows of its profile the device has.
  virtual Result<std::vector<FoundPoint>> discover(std::size_t device) = 0;
  /// Sets a writable point and reads back what it is then. Sent once and never repeated. An error: nothing
  /// was sent, or the device refused it.
  virtual Result<WriteOutcome> write(std::size_t device, const PointSource& source, const Value& value);
  /// What `read` reads of the device from now on.
  virtual void use(std::size_t device, SharedList<PointSource> sources) = 0;
};

/// What every bus needs; `clock` must outlive it.
struct BusContext {
  const Clock& clock;
  Log log;
  std::filesystem::path data_dir;
  std::stop_token stop;
  /// From any thread: something has happened to a device, read it soon. Empty: nobody polls.
  std::function<void(std::size_t device)> hurry = {};
  /// Where hosts are found; must outlive the bus. Null: it finds its own.
  HostNames* names = nullptr;
};

/// How long an unknown device is waited for.
struct Patience {
  std::chrono::milliseconds reply_timeout{1000};
  int tries = 2;  ///< requests without an answer before it counts as absent
};

/// A driver is one constant of this type, named as its folder; CMake writes the table of them.
struct DriverType {
  std::string_view name;
  const AddressGrammar& addresses;
  const ProfileGrammar& profiles;
  /// Devices share no line, so one bus holds all of them and several are asked at a time.
  bool is_concurrent = false;
  /// How many devices one thread reads together.
  std::size_t most_at_once = 1;
  /// Its devices tell of events by themselves, where the settings say where we listen.
  bool tells_events = false;
  /// Called at least once before any bus is made, while the process has no other threads.
  void (*prepare)(const std::filesystem::path& data_dir);
  /// All devices have the same `address.bus()`.
  std::unique_ptr<Bus> (*make)(std::vector<ConfiguredDevice> devices, BusContext context);
  /// The profiles, out of those of this driver, that fit the device at an address, the most special first.
  /// Errc::not_found: something answers, but none fits.
  Result<Profiles> (*recognise)(const DeviceAddress& address,
                                std::span<const std::shared_ptr<const Profile>> profiles,
                                const BusContext& context, Patience patience);
  /// What can be told of a device that no profile fits, as lines for a person who has to write one.
  std::vector<std::string> (*survey)(const DeviceAddress& address, const BusContext& context);
  /// What should stand instead of an address that the profile cannot be read at; empty: it can. What is wrong
  /// in a file that the address names goes to `problems`. Null: every address does.
  std::string (*misfit)(const DeviceAddress& address, const Profile& profile, Problems& problems) = nullptr;
};

/// Written by CMake from the folders beside this file.
std::span<const DriverType* const> driver_types();
/// Null when no driver has the name.
const DriverType* driver_named(std::string_view name);

}  // namespace watchroom::agent
