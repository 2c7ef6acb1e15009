// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/configurations/configuration_desk.hpp"

#include "proto/base/settings.hpp"

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 2s;
constexpr auto first_pause = 10s;  // a command has quality of service 0
constexpr auto longest_pause = 10min;
constexpr std::size_t longest_text = 3u << 20;  // what a signed order of 4 MB has room for

// As the agent tells them (agent/orders): the numbers are on the wire.
constexpr std::int64_t state_on_trial = 2, state_refused = 3, state_fallen_back = 4;

std::optional<std::int64_t> integer_of(const std::optional<Value>& value) {
  if (!value) return std::nullopt;
  if (const auto* integer = std::get_if<std::int64_t>(&*value)) return *integer;
  if (const auto* number = std::get_if<double>(&*value)) return static_cast<std::int64_t>(*number);
  return std::nullopt;
}

/// Only what every agent would refuse, whatever its devices are; the rest it says itself.
Result<void> check(const std::string& text) {
  if (text.size() > longest_text)
    return fail(Errc::invalid, Retry::never, "{} bytes are too many, expected at most {}", text.size(),
                longest_text);
  Problems problems;
  const auto table = SettingsTable::parse(text, "configuration", problems);
  if (table)
    for (const std::string& key : table->keys())
      if (key == "broker" || key == "site" || key == "agent" || key == "data_dir" || key == "journal")
        table->complain(key, "stays in the agent's own file, a configuration from here cannot change it");
  if (problems.empty()) return {};
  return fail(Errc::invalid, Retry::never, "{}", problems.str());
}

}  // namespace

std::string_view name_of(ConfigurationProgress progress) {
  switch (progress) {
    case ConfigurationProgress::waiting: return "waiting";
    case ConfigurationProgress::sent: return "sent";
    case ConfigurationProgress::on_trial: return "on_trial";
    case ConfigurationProgress::in_force: return "in_force";
    case ConfigurationProgress::refused: return "refused";
    case ConfigurationProgress::fallen_back: return "fallen_back";
  }
  return "";
}

ConfigurationDesk::ConfigurationDesk(ConfigurationBook book, const Room& room, SendConfiguration send,
                                     const Clock& clock, const Log& log)
    : book_{std::move(book)},
      room_{room},
      send_{std::move(send)},
      clock_{clock},
      log_{log.tagged("configurations")} {}

ConfigurationDesk::~ConfigurationDesk() { stop(); }

void ConfigurationDesk::start(std::function<void()> also) {
  thread_ = std::thread{[this, also = std::move(also)] {
    std::unique_lock lock{mutex_};
    while (!stopping_.wait_for(lock, look_every, [this] { return is_stopping_; })) {
      lock.unlock();
      look();
      if (also) also();
      lock.lock();
    }
  }};
}

void ConfigurationDesk::stop() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ConfigurationDesk::look() {
  const auto agents = told();
  const std::lock_guard lock{mutex_};
  const auto all = book_.all_latest();
  if (!all) return log_.error("{}", all.error().text);
  for (const KeptConfiguration& kept : *all) {
    const auto at = agents.find({kept.site, kept.agent});
    if (at == agents.end() || !at->second.is_online || !at->second.given) continue;
    if (*at->second.given >= kept.number) continue;
    Sending& sending = sending_[{kept.site, kept.agent}];
    if (sending.number != kept.number) sending = {.number = kept.number};
    if (clock_.steady() < sending.again_at) continue;
    if (const auto whole = book_.latest(kept.site, kept.agent); whole && *whole) send(**whole, sending);
  }
}

void ConfigurationDesk::send(const KeptConfiguration& kept, Sending& sending) {
  const auto pause = first_pause * (1 << std::min(sending.times, 6));
  sending.again_at = clock_.steady() + std::min<std::chrono::milliseconds>(pause, longest_pause);
  const auto sent = send_(kept);
  if (!sent) {
    if (sending.trouble != sent.error().text)
      log_.warning("configuration {} cannot be sent to {}/{}: {}", kept.number, kept.site, kept.agent,
                   sent.error().text);
    sending.trouble = sent.error().text;
    return;
  }
  sending.trouble.clear();
  ++sending.times;
  log_.info("configuration {} is sent to {}/{}", kept.number, kept.site, kept.agent);
}

Result<ConfigurationView> ConfigurationDesk::give(const std::string& site, const std::string& agent,
                                                  const std::string& text, const std::string& by,
                                                  const std::string& comment) {
  if (auto checked = check(text); !checked) return checked.error();
  const auto agents = told();
  const auto at = agents.find({site, agent});
  if (at == agents.end()) return fail(Errc::not_found, Retry::never, "there is no agent {}/{}", site, agent);
  const std::lock_guard lock{mutex_};
  auto kept = book_.add({site, agent, 0, text, by, comment, clock_.now()});
  if (!kept) return kept.error();
  Sending& sending = sending_[{site, agent}] = {.number = kept->number};
  if (at->second.is_online && at->second.given) send(*kept, sending);
  return view_of(*std::move(kept), at->second);
}

Result<ConfigurationView> ConfigurationDesk::latest(const std::string& site, const std::string& agent) const {
  const auto agents = told();
  const std::lock_guard lock{mutex_};
  auto kept = book_.latest(site, agent);
  if (!kept) return kept.error();
  if (!*kept)
    return fail(Errc::not_found, Retry::never, "agent {}/{} was never given a configuration", site, agent);
  const auto at = agents.find({site, agent});
  ConfigurationView view = view_of(**std::move(kept), at == agents.end() ? Told{} : at->second);
  if (auto reasons = reasons_for(view.kept)) view.reasons = *std::move(reasons);
  return view;
}

/// What the agent told last of this very configuration: its newest event may be about something else.
std::optional<std::string> ConfigurationDesk::reasons_for(const KeptConfiguration& kept) const {
  constexpr std::size_t most_events = 200;
  const auto events =
      room_.samples(fmt::format("{}/{}/self/event.text", kept.site, kept.agent), kept.at - 1min, most_events);
  if (!events) return std::nullopt;
  const std::string name = fmt::format("configuration {}", kept.number);
  for (auto event = events->rbegin(); event != events->rend(); ++event)
    if (event->value)
      if (const auto* text = std::get_if<std::string>(&*event->value);
          text && text->find(name) != std::string::npos)
        return *text;
  return std::nullopt;
}

Result<std::vector<KeptConfiguration>> ConfigurationDesk::history(const std::string& site,
                                                                  const std::string& agent,
                                                                  std::size_t limit) const {
  const std::lock_guard lock{mutex_};
  return book_.history(site, agent, limit);
}

ConfigurationView ConfigurationDesk::view_of(KeptConfiguration kept, const Told& told) const {
  ConfigurationView view{
      .kept = std::move(kept), .running = told.running.value_or(0), .reasons = told.reasons};
  const auto sending = sending_.find({view.kept.site, view.kept.agent});
  const bool is_this = sending != sending_.end() && sending->second.number == view.kept.number;
  if (is_this) view.trouble = sending->second.trouble;
  if (!told.given || *told.given < view.kept.number) {
    view.progress = is_this && sending->second.times > 0 && told.is_online ? ConfigurationProgress::sent
                                                                           : ConfigurationProgress::waiting;
    if (told.is_online && !told.given) view.trouble = "the agent does not take configurations from here";
    return view;
  }
  if (told.state == state_refused)
    view.progress = ConfigurationProgress::refused;
  else if (told.state == state_fallen_back)
    view.progress = ConfigurationProgress::fallen_back;
  else if (told.state == state_on_trial)
    view.progress = ConfigurationProgress::on_trial;
  else
    view.progress = ConfigurationProgress::in_force;
  return view;
}

std::map<ConfigurationDesk::Place, ConfigurationDesk::Told> ConfigurationDesk::told() const {
  std::map<Place, Told> all;
  for (const AgentView& agent : room_.agents(0))
    all[{agent.site, agent.agent}].is_online = agent.state == "online";
  const auto is_of_it = [](const PointView& point) {
    return point.device == "self" && (point.name.starts_with("configuration.") || point.name == "event.text");
  };
  for (const PointView& point : room_.points(0, is_of_it)) {
    Told& told = all[{point.site, point.agent}];
    const auto number = integer_of(point.value);
    if (point.name == "configuration.given" && number) told.given = static_cast<std::uint64_t>(*number);
    if (point.name == "configuration.number" && number) told.running = static_cast<std::uint64_t>(*number);
    if (point.name == "configuration.state") told.state = number;
    if (point.name == "event.text" && point.value)
      if (const auto* text = std::get_if<std::string>(&*point.value)) told.reasons = *text;
  }
  return all;
}

}  // namespace watchroom::aggregator
