// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/net.hpp"

#include <algorithm>
#include <mutex>

#include "agent/drivers/host_names.hpp"
#include "agent/drivers/net/echo.hpp"
#include "agent/drivers/net/finding.hpp"
#include "agent/drivers/net/tcp_probe.hpp"
#include "agent/drivers/net/web_probe.hpp"

namespace watchroom::agent {
namespace {

/// One thing to ask.
struct Question {
  const NetAddress* address;
  std::chrono::milliseconds timeout;
};

/// Sorts out whose name is known and asks those by what their scheme says.
class Asking {
 public:
  Asking(std::span<const Question> questions, HostNames& names, const std::stop_token& stop,
         const Found& found)
      : found_{found} {
    for (const Question& question : questions) names.begin(question.address->peer.host);
    const auto deadline = names.patience_ends();
    for (std::size_t i = 0; i < questions.size(); ++i)
      if (const auto hosts = names.find(questions[i].address->peer.host, stop, deadline))
        add(i, questions[i], hosts->front());
      else
        found(i, {.not_asked = hosts.error()});
  }

  void run(EchoSockets& sockets, const std::stop_token& stop) {
    if (!echoes_.targets.empty()) sockets.ask(echoes_.targets, stop, told(echoes_));
    if (!connects_.targets.empty()) connect_to(connects_.targets, stop, told(connects_));
    if (!fetches_.targets.empty()) fetch(fetches_.targets, stop, told(fetches_));
  }

 private:
  void add(std::size_t question, const Question& asked, HostAddress host) {
    const NetAddress& address = *asked.address;
    host.set_port(address.scheme == NetScheme::icmp ? 0 : address.peer.port);
    if (address.scheme == NetScheme::icmp)
      echoes_.add({host, address.echoes, asked.timeout}, question);
    else if (address.scheme == NetScheme::tcp)
      connects_.add({host, asked.timeout}, question);
    else
      fetches_.add({address, host, asked.timeout}, question);
  }

  template <typename Target>
  struct Group {
    std::vector<Target> targets;
    std::vector<std::size_t> questions;
    void add(Target target, std::size_t question) {
      targets.push_back(std::move(target));
      questions.push_back(question);
    }
  };
  template <typename Target>
  Found told(const Group<Target>& group) {
    return [this, &group](std::size_t target, const Finding& finding) {
      found_(group.questions[target], finding);
    };
  }

  const Found& found_;
  Group<EchoTarget> echoes_;
  Group<TcpTarget> connects_;
  Group<WebTarget> fetches_;
};

class NetBus final : public Bus {
 public:
  NetBus(std::vector<ConfiguredDevice> devices, BusContext context)
      : context_{std::move(context)}, names_{context_.names ? *context_.names : own_names_} {
    for (ConfiguredDevice& device : devices)
      hosts_.push_back({std::move(device.address.where), device.reply_timeout, std::move(device.sources)});
  }

  Answer read(std::size_t device) override {
    Answer answer = silent_answer(fail(Errc::cancelled, Retry::later, "stopped"),
                                  hosts_[device].sources.size(), context_.clock.now());
    read_several(std::span{&device, 1}, [&](std::size_t, Answer read) { answer = std::move(read); });
    return answer;
  }

  void read_several(std::span<const std::size_t> devices, const TakeAnswer& done) override {
    std::vector<Question> questions;
    for (const std::size_t device : devices)
      questions.push_back({&hosts_[device].address.as<NetAddress>(), hosts_[device].timeout});
    std::vector<bool> is_done(devices.size());
    const Found found = [&](std::size_t question, const Finding& finding) {
      is_done[question] = true;
      const std::size_t device = devices[question];
      done(device, answer_of(finding, hosts_[device].sources, context_.clock.now()));
    };
    const auto sockets = borrow();
    Asking{questions, names_, context_.stop, found}.run(*sockets, context_.stop);
    give_back(sockets);
    for (std::size_t i = 0; i < devices.size(); ++i)  // stopped on the way
      if (!is_done[i])
        done(devices[i], silent_answer(fail(Errc::cancelled, Retry::later, "stopped"),
                                       hosts_[devices[i]].sources.size(), context_.clock.now()));
  }

  Result<std::vector<FoundPoint>> discover(std::size_t) override { return std::vector<FoundPoint>{}; }
  void use(std::size_t device, SharedList<PointSource> sources) override {
    hosts_[device].sources = std::move(sources);
  }

 private:
  struct Host {
    DriverPart address;
    std::chrono::milliseconds timeout;
    SharedList<PointSource> sources;
  };

  std::shared_ptr<EchoSockets> borrow() {
    const std::lock_guard lock{mutex_};
    if (idle_.empty()) return std::make_shared<EchoSockets>();
    auto sockets = std::move(idle_.back());
    idle_.pop_back();
    return sockets;
  }
  void give_back(std::shared_ptr<EchoSockets> sockets) {
    const std::lock_guard lock{mutex_};
    idle_.push_back(std::move(sockets));
  }

  BusContext context_;
  HostNames own_names_;
  HostNames& names_;
  std::vector<Host> hosts_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<EchoSockets>> idle_;  // one for each thread that asks
};

std::unique_ptr<Bus> make(std::vector<ConfiguredDevice> devices, BusContext context) {
  return std::make_unique<NetBus>(std::move(devices), std::move(context));
}

bool is_for(const Profile& profile, NetScheme scheme) {
  return std::ranges::count(profile.traits.as<NetTraits>().schemes, scheme) > 0;
}

Finding ask(const DeviceAddress& address, std::chrono::milliseconds timeout, const BusContext& context) {
  HostNames names;
  EchoSockets sockets;
  Finding finding{.not_asked = fail(Errc::cancelled, Retry::later, "stopped")};
  const Found found = [&](std::size_t, Finding now) { finding = std::move(now); };
  const Question question{&address.where.as<NetAddress>(), timeout};
  Asking{std::span{&question, 1}, names, context.stop, found}.run(sockets, context.stop);
  return finding;
}

/// A host is not asked what it is: its address says which profile is meant. A scan, which is short of
/// patience, only wants those that are up.
Result<Profiles> recognise(const DeviceAddress& address,
                           std::span<const std::shared_ptr<const Profile>> profiles,
                           const BusContext& context, Patience patience) {
  const NetScheme scheme = address.where.as<NetAddress>().scheme;
  if (patience.tries == 1) {
    const Finding finding = ask(address, patience.reply_timeout, context);
    if (finding.not_asked) return *finding.not_asked;
    if (!finding.is_up) return fail(Errc::no_answer, Retry::later, "{}", finding.reason);
  }
  for (const auto& profile : profiles)
    if (is_for(*profile, scheme)) return Profiles{profile};
  return fail(Errc::not_found, Retry::never, "no profile is for {} addresses; give one with --profile",
              name_of(scheme));
}

std::string misfit(const DeviceAddress& address, const Profile& profile, Problems&) {
  const NetScheme scheme = address.where.as<NetAddress>().scheme;
  return is_for(profile, scheme) ? "" : fmt::format("an address that {} is for", profile.name);
}

}  // namespace

const DriverType net{
    .name = "net",
    .addresses = net_addresses,
    .profiles = net_profiles,
    .is_concurrent = true,
    .most_at_once = 64,
    .prepare = [](const std::filesystem::path&) {},
    .make = make,
    .recognise = recognise,
    .survey = [](const DeviceAddress&, const BusContext&) { return std::vector<std::string>{}; },
    .misfit = misfit,
};

}  // namespace watchroom::agent
