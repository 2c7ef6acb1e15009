// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "aggregator/alarms/engine.hpp"
#include "aggregator/intake/host.hpp"
#include "aggregator/store/store.hpp"

namespace watchroom::aggregator {

struct StateText {
  std::string zh, en;
};

struct KnownPoint {
  PointId id = 0;  ///< 0: not stored yet
  std::string name, unit_text, states_text, alarms_text;
  Unit unit = Unit::none;
  std::map<std::int64_t, StateText> states;
  std::string label_zh, label_en;
  std::optional<Reading> latest;
  std::optional<Reading> latest_good;
  bool is_announced = true;         ///< by the newest birth
  std::uint64_t latest_record = 0;  ///< of its journal, or how far that was at the birth
  SubjectId subject = 0;
  Timestamp late_until{};  ///< of what its journal tells late: nothing that follows is older

  /// Takes over what a birth announces; all three are parsed, whatever they hold.
  void describe(const std::string& unit, const std::string& states_json, const std::string& label_json = "");
  StateText state_of(const Value& value) const;
};

/// What its node's births say of a device.
enum class Presence {
  announced,  ///< born in this session of its node
  renewing,   ///< its node tells everything anew; until the device's turn all stays as it was
  awaited,    ///< its node has come (back), the device is not born yet: nothing can be said
  gone,       ///< its node announces it no longer
};

/// Somebody wants another class of a device. It is asked for until a birth shows it, but not for ever.
struct WantedClass {
  std::string name;
  std::string by;
  Steady asked_at{};
  std::optional<Steady> sent_at = {};
  bool is_given_up = false;
};

struct KnownDevice {
  DeviceId id = 0;
  StoredDevice about;  ///< names as announced; its points are not used
  Presence presence = Presence::awaited;
  bool is_alive = true;     ///< born, and has not died since
  bool is_overdue = false;  ///< its agent is there but has reported nothing for too long
  Communication communication =
      Communication::ok;  ///< foreign devices do not tell; their births and deaths do
  std::string communication_text;
  Timestamp since{};
  Steady last_report{};
  SubjectId communication_subject = 0;
  std::optional<WantedClass> wanted_class;
  std::optional<Steady>
      last_history{};  ///< when the last late reading came; nothing: none is waiting for judgement
  std::unordered_map<std::string, KnownPoint> points;  // stable addresses

  bool is_expected() const { return presence == Presence::renewing || presence == Presence::awaited; }
  bool answers() const { return is_alive && !is_overdue && communication == Communication::ok; }
};

struct KnownNode {
  NodeId id = 0;
  NodeKey key;
  std::string name, software_version;
  Contact contact = Contact::unknown;
  Timestamp since{};
  Steady born_at{};
  bool keeps_journal = false;  ///< one of our agents: it announces every device that it is configured for
  std::uint64_t journal_head = 0;
  std::string challenge;  ///< for orders to answer, as last told
  Steady challenge_at{};
  std::optional<std::uint64_t> journal_lost;                   ///< as last told
  std::optional<bool> is_clock_unsure;                         ///< as its newest live message says
  std::optional<Steady> journal_lost_at, journal_restored_at;  ///< what happened lately
  CloneWatch::Finding clones = CloneWatch::Finding::unknown;   ///< as last judged
  std::map<std::string, KnownDevice> devices;                  // '' is the node itself
  std::optional<Timestamp> certificate_until;                  ///< of those that this centre gave
  SubjectId subject = 0;
};

/// Why a point's value may not be believed, most distant cause first: broker, agent, device, the point
/// itself.
struct Standing {
  std::string quality;  ///< good, clock_unsure, stale, bad, unknown
  std::string reason_zh, reason_en;
};
extern const Bilingual no_longer_reported;
Standing standing_of(const KnownNode& node, const KnownDevice& device, const KnownPoint& point,
                     bool broker_connected);

/// What the rules are shown.
Situation situation_of(const KnownNode& node, const KnownDevice& device, const KnownPoint& point,
                       bool broker_connected);
/// What the rules are shown of a reading that comes late, from a journal's backlog.
Situation past_situation_of(const KnownPoint& point, const Reading& reading);
/// How the device itself answers: shown on its communication.state, whether it has such a point or not.
Situation communication_of(const KnownNode& node, const KnownDevice& device, bool broker_connected);
PointView view_of(const KnownNode& node, const KnownDevice& device, const KnownPoint& point,
                  bool broker_connected);
DeviceView view_of(const KnownDevice& device);
AgentView view_of(const KnownNode& node, const IntakeCounters& counters, const JournalLedger* ledger);

}  // namespace watchroom::aggregator
