// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "tests/timelines/house.hpp"

#include <algorithm>
#include <stdexcept>

#include <unistd.h>

namespace watchroom::timelines {
namespace {

using namespace std::chrono_literals;

constexpr auto tick = 50ms;

std::filesystem::path scratch() {
  std::string name = (std::filesystem::temp_directory_path() / "timeline-XXXXXX").string();
  return ::mkdtemp(name.data());
}

std::vector<agent::DeviceDescription> devices() {
  agent::DeviceDescription device;
  device.id = "th1";
  device.name = "冷通道";
  device.max_silence = 30s;
  const agent::PointTraits numbers{.unit = Unit::count};
  const agent::PointTraits degrees{.unit = Unit::celsius, .deadband = 0.1};
  device.points = {
      {*PointName::parse("device.counter"), std::make_shared<const agent::PointTraits>(numbers)},
      {*PointName::parse("ambient.temperature"), std::make_shared<const agent::PointTraits>(degrees)}};
  return {device};
}

}  // namespace

Result<void> AgentSide::subscribe(SessionNumber session, const std::vector<std::string>&) {
  if (session != wires_.agent_session) return fail(Errc::not_connected, Retry::later, "over");
  if (wires_.retained_state) wires_.to_agent.push_back(*wires_.retained_state);
  return {};
}

Result<void> AgentSide::publish(SessionNumber session, const MqttMessage& message) {
  if (session != wires_.agent_session || session == 0) return fail(Errc::not_connected, Retry::later, "over");
  const bool is_data = message.topic.find("DATA/") != std::string::npos;
  if (is_data && std::uniform_real_distribution<double>{0, 1}(random_) < loss) return {};
  if (wires_.centre_session != 0) wires_.to_centre.push_back(message);
  return {};
}

void CentreSide::publish(SessionNumber session, const MqttMessage& message) {
  if (session != wires_.centre_session || session == 0) return;
  if (host_of_state_topic(message.topic)) {
    wires_.retained_state = message;
    wires_.to_centre.push_back(message);
  }
  if (wires_.agent_session != 0) wires_.to_agent.push_back(message);
}

bool CentreSide::hand_over(std::int64_t mail, aggregator::Notice notice) {
  mails.push_back(std::move(notice));
  accepted.push_back(mail);
  return true;
}

House::House(std::uint32_t seed, std::string_view rules)
    : folder_{scratch()}, rules_{rules}, agent_side_{wires_, seed}, centre_side_{wires_} {
  start_agent();
  start_centre();
  connect();
}

House::~House() {
  agent_.reset();
  journal_.reset();
  core_.reset();
  room_.reset();
  std::filesystem::remove_all(folder_);
}

void House::start_agent() {
  auto journal =
      agent::Journal::open(folder_ / "journal.db", {.ack_hosts = {"watchroom"}}, agent_clock_, Log::quiet());
  if (!journal) throw std::runtime_error{journal.error().text};
  journal_ = *std::move(journal);
  agent::EdgeNodeSettings settings;
  settings.group = "hq";
  settings.node = "room1";
  settings.ack_hosts = {"watchroom"};
  agent_ = std::make_unique<agent::Agent>(settings, agent::listed(devices()), *journal_, agent_side_, field_,
                                          agent_clock_, agent::ClockFacts{{}, "boot", [] { return true; }},
                                          Log::quiet());
}

void House::start_centre() {
  auto store = aggregator::Store::open(folder_);
  auto reader = aggregator::StoreReader::open(folder_);
  room_ = std::make_unique<aggregator::PublishedRoom>(*std::move(reader), nullptr);
  aggregator::CoreSettings settings;
  settings.intake.host_id = "watchroom";
  settings.email.emplace();
  settings.email->to = {"li@example.com"};
  Problems problems;
  auto rules = aggregator::read_rules(*SettingsTable::parse(rules_, "rules.toml", problems));
  core_ = *aggregator::Core::make(settings, std::move(rules), *std::move(store), *room_, centre_side_, clock_,
                                  Log::quiet());
}

void House::tell_agent(agent::AgentEvent event) {
  std::vector<agent::AgentEvent> events;
  events.push_back(std::move(event));
  (void)agent_->step(std::move(events));
}

void House::tell_centre(aggregator::CoreEvent event) {
  std::vector<aggregator::CoreEvent> events;
  events.push_back(std::move(event));
  core_->step(std::move(events));
}

void House::connect() {
  if (wires_.centre_session == 0) {
    wires_.centre_session = next_session_++;
    tell_centre(aggregator::Connected{wires_.centre_session, to_ms(clock_.now())});
  }
  if (wires_.agent_session == 0) {
    const SessionNumber session = next_session_++;
    tell_agent(agent::WillWanted{session});
    wires_.agent_session = session;
    tell_agent(agent::Connected{session});
  }
}

void House::cut_agent() {
  if (wires_.agent_session == 0) return;
  const SessionNumber session = std::exchange(wires_.agent_session, 0);
  wires_.to_agent.clear();
  if (wires_.agent_will && wires_.centre_session != 0) wires_.to_centre.push_back(*wires_.agent_will);
  tell_agent(agent::Disconnected{session, "cut"});
}

void House::cut_centre() {
  if (wires_.centre_session == 0) return;
  wires_.centre_session = 0;
  wires_.to_centre.clear();
  tell_centre(aggregator::Disconnected{"cut"});
}

void House::crash_agent() {
  // Whatever was not on disk is gone: the journal must not get the chance to write it.
  std::filesystem::copy_file(folder_ / "journal.db", folder_ / "kept.db",
                             std::filesystem::copy_options::overwrite_existing);
  const bool has_log = std::filesystem::exists(folder_ / "journal.db-wal");
  if (has_log)
    std::filesystem::copy_file(folder_ / "journal.db-wal", folder_ / "kept.db-wal",
                               std::filesystem::copy_options::overwrite_existing);
  wires_.agent_session = 0;
  wires_.to_agent.clear();
  if (wires_.agent_will && wires_.centre_session != 0) wires_.to_centre.push_back(*wires_.agent_will);
  agent_.reset();
  journal_.reset();
  std::filesystem::remove(folder_ / "journal.db-shm");
  std::filesystem::remove(folder_ / "journal.db-wal");
  std::filesystem::rename(folder_ / "kept.db", folder_ / "journal.db");
  if (has_log) std::filesystem::rename(folder_ / "kept.db-wal", folder_ / "journal.db-wal");
  start_agent();
}

void House::crash_centre() {
  wires_.centre_session = 0;
  wires_.to_centre.clear();
  centre_side_.accepted.clear();
  core_.reset();  // commits nothing: a batch ends within step
  start_centre();
}

agent::PollResult House::poll_result(double celsius) const {
  agent::PollResult result;
  result.communication = Communication::ok;
  result.polled_at = agent_clock_.now();
  result.readings = {{Value{counter_}, Quality::good, agent_clock_.now()},
                     {Value{celsius}, Quality::good, agent_clock_.now()}};
  return result;
}

void House::polls(double celsius) {
  ++counter_;
  tell_agent(poll_result(celsius));
}

void House::device_falls_silent() {
  agent::PollResult result;
  result.communication = Communication::no_answer;
  result.communication_text = "no answer";
  result.polled_at = agent_clock_.now();
  result.readings = {{std::nullopt, Quality::stale, agent_clock_.now()},
                     {std::nullopt, Quality::stale, agent_clock_.now()}};
  tell_agent(std::move(result));
}

void House::deliver() {
  while (!wires_.to_centre.empty() || !wires_.to_agent.empty() || !centre_side_.accepted.empty()) {
    if (!wires_.to_centre.empty()) {
      const MqttMessage message = std::move(wires_.to_centre.front());
      wires_.to_centre.pop_front();
      if (wires_.centre_session != 0) tell_centre(aggregator::Received{message.topic, message.payload});
    }
    if (!wires_.to_agent.empty()) {
      const MqttMessage message = std::move(wires_.to_agent.front());
      wires_.to_agent.pop_front();
      if (wires_.agent_session != 0)
        tell_agent(agent::Arrived{wires_.agent_session, message.topic, message.payload});
    }
    if (!centre_side_.accepted.empty()) {
      const std::int64_t mail = centre_side_.accepted.front();
      centre_side_.accepted.pop_front();
      tell_centre(aggregator::Delivered{mail, {}});
    }
  }
}

void House::pass(std::chrono::milliseconds time) {
  for (auto passed = 0ms; passed < time; passed += tick) {
    clock_.advance(tick);
    (void)agent_->step({});
    core_->step({});
    deliver();
  }
}

std::vector<std::pair<std::uint64_t, std::int64_t>> House::stored() const {
  std::vector<std::pair<std::uint64_t, std::int64_t>> all;
  const auto samples = room_->samples("hq/room1/th1/device.counter", from_ms(0), 1'000'000);
  if (!samples) return all;
  for (const auto& sample : *samples)
    all.emplace_back(sample.record, sample.value ? std::get<std::int64_t>(*sample.value) : -1);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace watchroom::timelines
