// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "agent/core/agent.hpp"
#include "agent/journal/scratch_folder.hpp"
#include "agent/link/wire_checker.hpp"

namespace watchroom::agent {

/// For tests: a device with one temperature (deadband 0.5) and one leak state, polled each 10 s.
inline DeviceDescription test_device(const std::string& id) {
  DeviceDescription device;
  device.id = id;
  device.name = "设备 " + id;
  device.maker = "Acme";
  device.model = "TH-2";
  device.profile = "acme_th2";
  device.poll_interval = std::chrono::seconds{10};
  device.max_silence = std::chrono::seconds{60};
  const auto temperature = *PointName::parse("ambient.temperature");
  const auto leak = *PointName::parse("leak.state");
  const PointTraits degrees{.unit = Unit::celsius, .deadband = 0.5};
  const PointTraits wetness{.unit = Unit::state, .states = {{0, {"正常", "dry"}}, {1, {"有水", "wet"}}}};
  device.points = {{temperature, std::make_shared<const PointTraits>(degrees)},
                   {leak, std::make_shared<const PointTraits>(wetness)}};
  return device;
}

struct SentMessage {
  Topic topic;
  Payload payload;
};

/// For tests: takes what the agent sends, and holds every message against the wire's rules.
class RecordingOutlet final : public Outlet {
 public:
  void provide_will(SessionNumber session, MqttMessage will) override {
    if (session != will_session) checker.connected(will);
    will_session = session;
  }
  Result<void> subscribe(SessionNumber session, const std::vector<std::string>& topics) override {
    EXPECT_EQ(session, current);
    EXPECT_TRUE(sent.empty()) << "subscriptions come before the first birth";
    subscriptions = topics;
    return {};
  }
  Result<void> publish(SessionNumber session, const MqttMessage& message) override {
    if (session != current) return fail(Errc::not_connected, Retry::later, "ended");
    checker.saw(message);
    sent.push_back({*Topic::parse(message.topic), *decode(message.payload)});
    return {};
  }

  SessionNumber current = 0;  // 0: no connection
  SessionNumber will_session = 0;
  std::vector<std::string> subscriptions;
  std::vector<SentMessage> sent;
  WireChecker checker;
};

/// For tests: notes what the core asks of the polling side.
struct RecordingField final : Field {
  void put_into_class(const std::string& device, ResourceClass resource_class) override {
    asked.emplace_back(device, resource_class);
  }
  std::vector<std::pair<std::string, ResourceClass>> asked;
};

/// For tests: one agent with its journal, a broker that is there or not, and a host; on a clock that jumps
/// from one deadline to the next.
class TestedAgent {
 public:
  explicit TestedAgent(std::vector<DeviceDescription> devices = {test_device("th1"), test_device("th2")})
      : devices_{std::move(devices)} {
    settings.group = "hq";
    settings.node = "room1";
    settings.name = "一号机房";
    settings.ack_hosts = {"centre"};
    journal_settings.commit = std::chrono::seconds{2};
  }

  void start() {
    journal_settings.ack_hosts = settings.ack_hosts;
    agent_clock_ = std::make_unique<AgentClock>(clock);
    journal_ =
        *Journal::open(folder_.path() / "journal.sqlite", journal_settings, *agent_clock_, Log::quiet());
    ClockFacts facts{built, boot, [this] { return is_synchronised; }};
    agent_ = std::make_unique<Agent>(settings, listed(devices_), *journal_, outlet, field, *agent_clock_,
                                     std::move(facts), Log::quiet());
  }
  void restart_with(std::vector<DeviceDescription> devices) {
    outlet.current = 0;
    agent_.reset();
    journal_.reset();
    devices_ = std::move(devices);
    start();
  }

  void connect() {
    ++session_;
    outlet.sent.clear();
    step({WillWanted{session_}});
    outlet.current = session_;
    step({Connected{session_}});
  }
  void disconnect() {
    outlet.current = 0;
    step({Disconnected{session_, "the broker is gone"}});
  }
  /// A CONNECT that could not be sent.
  void fail_to_connect() {
    step({WillWanted{session_ + 1}, Disconnected{session_ + 1, "connection refused"}});
  }

  void polls(std::size_t device, double celsius, std::int64_t leak = 0) {
    const Timestamp now = agent_clock_->now();
    PollResult polled{device, Communication::ok, "", now, {}};
    polled.readings = {{celsius, Quality::good, now}, {leak, Quality::good, now}};
    step({polled});
  }
  void tells(std::size_t device, const std::string& text) { step({DeviceEvent{device, clock.now(), text}}); }
  void is_silent(std::size_t device) {
    PollResult polled{device, Communication::no_answer, "no answer", agent_clock_->now(), {}};
    polled.readings.assign(2, {{}, Quality::stale, agent_clock_->now()});
    step({polled});
  }
  void host_says(bool online, std::int64_t timestamp_ms, const std::string& host = "centre") {
    step({Arrived{session_, state_topic(host), HostState{online, timestamp_ms}.str()}});
  }
  void command(const std::string& name, Value value) {
    Payload payload;
    payload.at = clock.now();
    payload.metrics = {{.name = name, .at = clock.now(), .value = std::move(value)}};
    step({Arrived{session_, "spBv1.0/hq/NCMD/room1", encode(payload, WithDatatypes::yes)}});
  }
  void ask_for_rebirth() { command("Node Control/Rebirth", true); }
  void acknowledges(std::uint64_t cumulative,
                    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges = {},
                    const std::string& host = "centre") {
    command("Node Control/Journal Ack",
            JournalAck{journal().id(), host, cumulative, std::move(ranges)}.str());
  }
  /// Lets time pass, from deadline to deadline.
  void run_for(std::chrono::milliseconds duration) {
    const Steady end = clock.steady() + duration;
    while (true) {
      const auto due = agent_->step({});
      const Steady next = std::max(due.value_or(end), clock.steady() + std::chrono::milliseconds{1});
      if (next > end) break;
      clock.advance(next - clock.steady());
    }
    clock.advance(end - clock.steady());
    agent_->step({});
  }
  void step(std::vector<AgentEvent> events) { agent_->step(std::move(events)); }

  /// "DDATA th1", "DDATA* th1" (historical), "NBIRTH", since the last call.
  std::vector<std::string> story() {
    std::vector<std::string> lines;
    for (const SentMessage& message : take()) {
      const auto& metrics = message.payload.metrics;
      const bool is_historical = !metrics.empty() && metrics.front().is_historical;
      std::string line = std::string{name_of(message.topic.verb)} + (is_historical ? "*" : "");
      if (!message.topic.device.empty()) line += " " + message.topic.device;
      if (message.payload.journal) line += fmt::format(" #{}", message.payload.journal->record);
      lines.push_back(line);
    }
    return lines;
  }
  std::vector<SentMessage> take() { return std::exchange(outlet.sent, {}); }
  std::vector<std::uint64_t> take_replayed() {
    std::vector<std::uint64_t> numbers;
    for (const SentMessage& message : take())
      if (message.payload.journal && message.payload.metrics.front().is_historical)
        numbers.push_back(message.payload.journal->record);
    return numbers;
  }

  /// The pages below an open connection turn to rubbish, as on a bad flash.
  void damage_journal() {
    std::fstream file{folder_.path() / "journal.sqlite", std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(0, std::ios::end);
    const auto size = static_cast<std::size_t>(file.tellp()) - 4096;
    file.seekp(4096).write(std::string(size, '\xa5').data(), static_cast<std::streamsize>(size));
  }

  Journal& journal() { return *journal_; }
  Agent& agent() { return *agent_; }

  AgentClock& agent_clock() { return *agent_clock_; }

  FakeClock clock;  // the machine's
  bool is_synchronised = true;
  Timestamp built = from_ms(1'790'000'000'000);
  std::string boot = "boot 1";
  RecordingField field;
  EdgeNodeSettings settings;
  JournalSettings journal_settings;
  RecordingOutlet outlet;

 private:
  ScratchFolder folder_;
  std::vector<DeviceDescription> devices_;
  SessionNumber session_ = 0;
  std::unique_ptr<AgentClock> agent_clock_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Agent> agent_;
};

}  // namespace watchroom::agent
