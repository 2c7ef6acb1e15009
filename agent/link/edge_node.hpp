// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "agent/journal/journal.hpp"
#include "agent/link/births.hpp"
#include "agent/link/device_now.hpp"
#include "agent/link/replay.hpp"
#include "agent/polling/poll_result.hpp"
#include "proto/link/mqtt_session.hpp"
#include "proto/link/topic.hpp"

namespace watchroom::agent {

struct EdgeNodeSettings {
  std::string group;  ///< the site
  std::string node;   ///< the agent
  std::string name;   ///< for people
  std::vector<std::string> ack_hosts;
  int replay_records_per_s = 500;
  std::uint32_t random_seed = 0;                ///< of the jitter before a voluntary rebirth
  std::function<std::string()> challenge = {};  ///< a new one to be told; absent: none is
};

/// A message to publish over the connection it was made for.
struct OutgoingMessage {
  MqttMessage message;
  std::uint64_t record = 0;  ///< the journal record inside; 0: none
};

/// The centre wants a device in another class.
struct ClassWanted {
  std::size_t device = 0;
  ResourceClass resource_class = ResourceClass::general;
};

struct Outgoing {
  SessionNumber session = 0;
  std::vector<std::string> subscriptions = {};  ///< QoS 1, before the messages
  std::vector<OutgoingMessage> messages = {};
};

/// The Sparkplug 3.0 edge node with our journal, as a state machine without I/O towards the broker: events go
/// in, `take` brings out what is to be sent, `deadline` says when `tick` is due. Owned and called by the core
/// thread. `journal` and `clock` must outlive it.
class EdgeNode {
 public:
  static constexpr std::chrono::seconds heartbeat_interval{30};
  static constexpr std::chrono::seconds rebirth_interval{1};
  static constexpr std::chrono::seconds longest_jitter{5};

  EdgeNode(EdgeNodeSettings settings, const DeviceList& devices, Journal& journal, const Clock& clock,
           Log log);

  /// The will of a CONNECT that is about to be sent; steps and stores bdSeq once a session.
  MqttMessage will(SessionNumber session);
  void connected(SessionNumber session);
  /// Also for an attempt that did not come as far as `connected`.
  void disconnected(SessionNumber session, const std::string& reason);
  void arrived(SessionNumber session, std::string_view topic, std::string_view payload);

  /// A device's description has changed: it has other points than before, and is born again.
  void redescribed(std::size_t device, std::shared_ptr<const DeviceDescription> description);
  /// Other devices than before. What is known of those that stay is kept, and so is what waits for those that
  /// go. Everything is born anew.
  void reconfigured(const DeviceList& devices);
  /// The clock of the readings was moved, or is trusted otherwise.
  void clock_moved(std::chrono::milliseconds by, ClockTrust trust);
  /// A device's current values; `record` is the journal record that was appended for this poll, if any.
  void polled(const PollResult& polled, std::optional<std::uint64_t> record);
  /// A device told of something by itself: `metrics` are what its births say of events from now on.
  void told(std::size_t device, const std::vector<Metric>& metrics, std::uint64_t record);
  /// What the journal has just put on disk: sent live, or replayed later when births came in between.
  void committed(const std::vector<JournalRecord>& records);
  /// The disk refuses the journal: what waits in memory is sent without a stamp, for the live view and the
  /// alarms; its record follows when the disk takes it.
  void not_committed(const std::deque<JournalRecord>& waiting);
  /// How many polls found no room so far.
  void dropped_polls(std::uint64_t count) { dropped_polls_ = count; }
  void tick();
  /// The end, in good order: NDEATH. Nothing is sent afterwards.
  void stop();

  Outgoing take();
  /// What the centre asked for since the last call.
  std::vector<ClassWanted> take_classes_wanted() { return std::exchange(classes_wanted_, {}); }
  /// Signed orders of the centre since the last call, as they came.
  std::vector<std::string> take_orders() { return std::exchange(orders_, {}); }
  /// The time that a host of ours told since the last call.
  std::optional<Timestamp> take_time_told() { return std::exchange(host_time_, std::nullopt); }
  /// `record` was handed to the broker (what counts when no host acknowledges).
  void published(std::uint64_t record);
  std::optional<Steady> deadline() const;

  bool is_online() const { return session_.has_value(); }
  std::uint64_t refused_acknowledgements() const { return refused_acknowledgements_; }

 private:
  struct Device {
    std::string id;
    DeviceNow now = {};
    bool is_born = false;     // in this session
    bool is_revived = false;  // born again only for what had to be sent for it
    bool is_lost = false;
    std::uint64_t last_record = 0;
  };
  struct Host {
    std::optional<bool> is_online;  // unknown before its first STATE or acknowledgement here
    std::optional<std::int64_t> state_timestamp_ms;
  };
  struct Session {
    SessionNumber number = 0;
    std::uint8_t next_seq = 0;
    Steady born_at{};
    Steady heartbeat_at{};
    JournalFacts told{};
    std::uint64_t birth_barrier = 0;  // births carry what these records say: they are never sent as live
    std::optional<Steady> rebirth_at = {};  // asked for: until then no DATA
    std::optional<Steady> voluntary_rebirth_at = {};
    std::map<std::string, Host> hosts = {};
    std::optional<Steady> hold_replay_until = {};  // while nobody has confirmed our clock
    bool has_held_replay = false;
  };

  void restore_retired();
  void keep_births();
  void drop_retired();
  void send_births();
  void send_heartbeat();
  std::string new_challenge() const;
  void send_device_birth(Device& device);
  void send_device_death(Device& device);
  void send_record(const JournalRecord& record, Replay::Kind kind);
  void send_data(Device* device, Payload payload, std::uint64_t record);
  void send(const Topic& topic, Payload payload, WithDatatypes datatypes, std::uint64_t record = 0);
  Device& found_or_retired(const std::string& id);
  Device& announced(const std::string& id, const std::vector<Metric>& metrics);
  void replay_some();
  void settle_deaths();
  void ask_for_rebirth();
  void take_command(std::string_view bytes);
  void take_device_command(const std::string& device, std::string_view bytes);
  bool take_acknowledgement(const Metric& metric);
  void take_host_time(const std::optional<Timestamp>& at);
  void take_host_state(const std::string& host, const HostState& state);
  void host_is_online(const std::string& host);
  void start_over_with_new_journal();
  std::vector<std::string> online_hosts() const;
  bool is_replay_paused() const;
  void tell_once(const std::string& what);
  Topic topic(Verb verb, const std::string& device = "") const;
  JournalFacts facts() const;

  const EdgeNodeSettings settings_;
  Journal& journal_;
  const Clock& clock_;
  const Log log_;
  std::vector<Device> devices_;  // configured ones first, in their order
  std::size_t configured_;
  JournalId journal_id_;
  std::uint64_t retired_until_ = 0;  // records of what is no longer configured are not above this
  bool has_retired_ = false;
  std::optional<Steady> keep_births_at_;
  Replay replay_;
  bool is_replaying_ = false;
  std::minstd_rand random_;
  SessionNumber will_session_ = 0;
  std::uint8_t bd_seq_ = 0;
  std::optional<Session> session_;
  Outgoing out_;
  std::vector<ClassWanted> classes_wanted_;
  std::vector<std::string> orders_;
  std::optional<Timestamp> host_time_;
  ClockTrust clock_trust_ = ClockTrust::plausible;
  std::set<std::string> told_;
  std::string last_reason_;
  std::uint64_t refused_acknowledgements_ = 0;
  std::uint64_t dropped_polls_ = 0;
};

}  // namespace watchroom::agent
