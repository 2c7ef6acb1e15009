// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "aggregator/alarms/rules/condition.hpp"
#include "aggregator/intake/clone_watch.hpp"
#include "aggregator/intake/journal_ledger.hpp"
#include "aggregator/intake/sequence.hpp"
#include "proto/base/log.hpp"
#include "proto/base/settings.hpp"
#include "proto/link/mqtt_session.hpp"
#include "proto/link/topic.hpp"

namespace watchroom::aggregator {

struct IntakeSettings {
  std::string host_id;
  std::chrono::milliseconds reorder_timeout{2'000};
  std::chrono::milliseconds rebirth_interval{10'000};  ///< between two requests to one node
  double rebirths_per_s = 20;                          ///< to all nodes together
  std::chrono::milliseconds ack_interval{1'000};       ///< between two acknowledgements to one node
  std::chrono::milliseconds birth_wait{60'000};

  void read(const SettingsTable& table);
};

struct NodeKey {
  std::string site;
  std::string agent;
  auto operator<=>(const NodeKey&) const = default;
};

/// A message that counts: names in place of aliases, duplicates already gone.
struct Arrival {
  Verb verb = Verb::ndata;  ///< any but the commands
  NodeKey node;
  std::string device;  ///< empty for node messages
  Payload payload;
  bool is_record = false;          ///< carries readings that must be stored
  std::int64_t generation = 0;     ///< of the node's journal
  bool journal_went_back = false;  ///< node births: an old image was restored there
};

struct IntakeCounters {
  std::uint64_t records = 0, duplicates = 0, gaps = 0, rebirths_requested = 0, decode_errors = 0;
};

/// The Sparkplug host application without its I/O: sessions of all nodes, gaps, duplicates, throttled rebirth
/// requests, journal acknowledgements (Sparkplug 3.0.0 chapters 4 to 6; our journal). Owned by one thread.
class Host {
 public:
  Host(IntakeSettings settings, Log log);

  /// A node known from before: it is asked for its birth once we are connected.
  void know(const NodeKey& node);
  void restore(const NodeKey& node, const JournalLedger& ledger);

  /// Subscriptions first, then the STATE birth; `timestamp` is the will's.
  std::vector<std::string> subscriptions() const;
  MqttMessage state_message(bool online, std::int64_t timestamp_ms) const;
  void connected(std::int64_t state_timestamp_ms, Steady now);
  /// All nodes become unknown.
  void disconnected();

  /// Nothing: not ours, a duplicate, undecodable, or out of any session. Journal records are counted as
  /// received here, but acknowledged only by `take_commands` after `committed`.
  std::optional<Arrival> receive(std::string_view topic, std::string_view payload, Steady now);

  /// Ledgers that changed since `committed`: to be stored in the same transaction as their records.
  std::vector<std::pair<NodeKey, const JournalLedger*>> changed_ledgers() const;
  /// What was received so far is on disk: it may be acknowledged.
  void committed();
  /// The transaction failed: nothing received since `committed` counts; the agents will send it again.
  void rolled_back();

  /// Acknowledgements and rebirth requests that are due, and our STATE again if somebody overwrote it or the
  /// broker has not sent it back to us.
  std::vector<MqttMessage> take_commands(Timestamp wall, Steady now);
  /// Asks a device's agent for another class by a DCMD with our own metric.
  static MqttMessage class_command(const NodeKey& node, const std::string& device, const std::string& wanted,
                                   Timestamp wall);
  /// A signed order for an agent, in base64, by an NCMD with our own metric.
  static MqttMessage order(const NodeKey& node, const std::string& order, Timestamp wall);
  /// Nodes that did not come back in time after the broker did, or whose heartbeats stay away though the
  /// broker reports no death: they are offline now.
  std::vector<NodeKey> take_given_up(Steady now);
  Steady next_deadline(Steady now) const;

  Contact contact(const NodeKey& node) const;
  /// Born, and none of its messages since is missing.
  bool is_complete(const NodeKey& node) const;
  /// Whether two agents speak under this name.
  CloneWatch::Finding clone_finding(const NodeKey& node, Steady now) const;
  const IntakeCounters& counters(const NodeKey& node) const;
  const JournalLedger* ledger(const NodeKey& node) const;

 private:
  /// A ledger as received, and as it is on disk.
  struct Kept {
    JournalLedger ledger;
    JournalLedger committed;
    bool has_changed = false;
  };
  struct Node {
    Contact contact = Contact::unknown;
    bool is_born = false;
    std::optional<std::int64_t> bd_seq;
    std::optional<std::chrono::seconds> heartbeat;  // as announced
    Steady last_heard{};
    Sequence sequence;
    CloneWatch clones;
    std::unordered_map<std::uint64_t, std::string> aliases;
    /// By device ("" is the node), then by metric: what births said and DATA leaves out.
    std::map<std::string, std::unordered_map<std::string, std::uint32_t>> integer_types;
    std::set<std::string> born_devices;
    bool keeps_journal = false;
    std::map<JournalId, Kept> journals;
    std::optional<JournalId> journal;  // the one in use
    bool ack_wanted = false;
    std::optional<Steady> last_ack;
    bool rebirth_wanted = false;
    std::string rebirth_reason;
    std::optional<Steady> last_rebirth;
    IntakeCounters counters;
  };

  Node& node_of(const NodeKey& key) { return nodes_[key]; }
  static bool is_silent_for(const Node& node, int heartbeats, Steady now);
  static Kept* journal_of(Node& node) { return node.journal ? &node.journals.at(*node.journal) : nullptr; }
  std::optional<Arrival> accept_node_birth(Node& node, Arrival arrival, Steady now);
  std::optional<Arrival> accept_node_death(Node& node, Arrival arrival);
  std::optional<Arrival> accept_device_birth(Node& node, Arrival arrival, Steady now);
  std::optional<Arrival> accept_device_death(Node& node, Arrival arrival, Steady now);
  std::optional<Arrival> accept_data(Node& node, Arrival arrival, Steady now);
  /// False when its numbers went back.
  bool adopt_journal(Node& node, const NodeKey& key, const Payload& birth);
  static void watch_for_clones(Node& node, const Payload& birth, Steady now);
  void use_journal(Node& node, const NodeKey& key, const JournalId& id);
  bool note_record(Node& node, const NodeKey& key, const JournalStamp& stamp);
  void learn_names(Node& node, const Arrival& birth);
  void apply_integer_types(const Node& node, Arrival& data) const;
  bool resolve_aliases(Node& node, Payload& payload) const;
  void note_sequence(Node& node, const Payload& payload, Steady now);
  void want_rebirth(Node& node, std::string_view reason);
  void receive_state(std::string_view payload);
  bool is_state_due(Steady now);
  MqttMessage rebirth_request(const NodeKey& key, Timestamp wall) const;
  MqttMessage acknowledgement(const NodeKey& key, const JournalLedger& committed, Timestamp wall) const;

  const IntakeSettings settings_;
  const Log log_;
  std::map<NodeKey, Node> nodes_;
  bool connected_ = false;
  std::int64_t state_timestamp_ms_ = 0;
  bool state_wanted_ = false;
  std::optional<Steady> state_unheard_since_;  // it was last said then, and has not come back
  bool is_state_missed_ = false;               // and the log says so
  Steady connected_at_{};
  bool waiting_for_births_ = false;
  double rebirth_tokens_ = 0;
  Steady tokens_at_{};
};

}  // namespace watchroom::aggregator
