// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/snmp.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "agent/drivers/conversion.hpp"
#include "agent/drivers/pause.hpp"
#include "agent/drivers/snmp/library.hpp"
#include "agent/drivers/snmp/object_reader.hpp"
#include "agent/drivers/snmp/object_write.hpp"
#include "agent/drivers/snmp/table_reader.hpp"

namespace watchroom::agent {
namespace {

using Objects = std::map<Oid, ObjectValue>;

const Oid system_object_id{1, 3, 6, 1, 2, 1, 1, 2, 0};
const Oid system_description{1, 3, 6, 1, 2, 1, 1, 1, 0};

constexpr auto settling_time = std::chrono::milliseconds{3000},
               settling_step = std::chrono::milliseconds{100};

bool has_bulk(const DeviceAddress& address) {
  return address.where.as<SnmpAddress>().version != SnmpVersion::v1;
}

std::vector<Oid> oids_of(const SharedList<PointSource>& sources) {
  std::vector<Oid> oids;
  std::set<Oid> asked;
  const auto ask = [&](const Oid& oid) {
    if (asked.insert(oid).second) oids.push_back(oid);
  };
  for (const PointSource& source : sources) {
    const auto& object = source.where.as<ObjectSource>();
    ask(object.oid);
    if (object.decimals) ask(*object.decimals);
    if (object.factor) ask(object.factor->oid);
  }
  if (oids.empty()) oids.push_back(system_object_id);  // rows not known yet: at least a sign of life
  return oids;
}

/// What is asked of all devices that share their points.
struct Wanted {
  SharedList<PointSource> sources;
  std::vector<Oid> oids = oids_of(sources);
};

/// Makes it once for each list of points. Any thread.
class WantedLists {
 public:
  std::shared_ptr<const Wanted> of(const SharedList<PointSource>& sources) {
    const std::lock_guard lock{mutex_};
    std::weak_ptr<const Wanted>& known = known_[&sources.items()];
    if (auto wanted = known.lock()) return wanted;
    auto wanted = std::make_shared<const Wanted>(Wanted{sources});
    known = wanted;
    std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
    return wanted;
  }

 private:
  std::mutex mutex_;
  std::map<const void*, std::weak_ptr<const Wanted>>
      known_;  // by the list, which lives as long as what is made of it
};

/// One device: its conversation and what it was last like.
struct Peer {
  std::shared_ptr<const Wanted> wanted;
  std::shared_ptr<const Profile> profile;
  SnmpSession session;
  ObjectReader reader;
  bool answered_last_time = false;

  Peer(const ConfiguredDevice& device, std::shared_ptr<const Wanted> what, HostNames& names,
       SnmpKeyring& keyring, std::stop_token stop)
      : wanted{std::move(what)},
        profile{device.profile},
        session{device.address, names, keyring, device.reply_timeout, std::move(stop)},
        reader{session, profile->traits.as<SnmpTraits>(), has_bulk(device.address)} {}
};

/// Devices that fell silent lately. Where several did it is the network, and asking each a second time would
/// only keep those waiting that live.
class Silences {
 public:
  bool are_many(Steady now) {
    const std::lock_guard lock{mutex_};
    while (!began_.empty() && now - began_.front() > std::chrono::seconds{10}) began_.pop_front();
    return began_.size() >= many;
  }
  void add(Steady now) {
    const std::lock_guard lock{mutex_};
    if (began_.size() == many) began_.pop_front();
    began_.push_back(now);
  }

 private:
  static constexpr std::size_t many = 3;
  std::mutex mutex_;
  std::deque<Steady> began_;
};

void warn_of_weak_algorithms(const ConfiguredDevice& device, const Log& log) {
  const auto& address = device.address.where.as<SnmpAddress>();
  if (address.authentication == SnmpAuthentication::md5 || address.privacy == SnmpPrivacy::des)
    log.warning("{}: MD5 and DES are broken; use SHA-256 and AES if the device can", device.description.id);
}

class SnmpBus final : public Bus {
 public:
  SnmpBus(const std::vector<ConfiguredDevice>& devices, BusContext context) : context_{std::move(context)} {
    HostNames& names = context_.names ? *context_.names : own_names_;
    for (const ConfiguredDevice& device : devices) {
      warn_of_weak_algorithms(device, context_.log);
      peers_.push_back(
          std::make_unique<Peer>(device, lists_.of(device.sources), names, keyring_, context_.stop));
    }
  }

  Answer read(std::size_t device) override {
    Peer& peer = *peers_[device];
    const bool is_patient = peer.answered_last_time && !silences_.are_many(context_.clock.steady());
    const auto objects = peer.reader.poll(peer.wanted->oids, is_patient, context_.clock.steady());
    peer.session.rest();
    const Timestamp at = context_.clock.now();
    if (std::exchange(peer.answered_last_time, static_cast<bool>(objects)) && !objects)
      silences_.add(context_.clock.steady());
    if (!objects) return silent_answer(objects.error(), peer.wanted->sources.size(), at);
    if (objects->empty())
      return silent_answer(
          fail(Errc::refused, Retry::later,
               "the device answers, but has none of the objects of the profile {}", peer.profile->name),
          peer.wanted->sources.size(), at);
    Answer answer;
    answer.communication = Communication::ok;
    for (const PointSource& source : peer.wanted->sources)
      answer.readings.push_back(to_reading(*objects, source.where.as<ObjectSource>(), source.conversion, at));
    return answer;
  }

  Result<std::vector<FoundPoint>> discover(std::size_t device) override {
    auto found = find_points(*peers_[device]);
    if (found) peers_[device]->reader.forget_absences();  // it may have got a module
    peers_[device]->session.rest();
    return found;
  }

  Result<WriteOutcome> write(std::size_t device, const PointSource& source, const Value& value) override {
    Peer& peer = *peers_[device];
    auto outcome = set_object(peer.session, source, value);
    if (outcome) read_back(peer, source, value, *outcome);
    peer.session.rest();
    return outcome;
  }

  void use(std::size_t device, SharedList<PointSource> sources) override {
    peers_[device]->wanted = lists_.of(sources);
  }

 private:
  /// Asks until it agrees, or has had its time to: an outlet takes a moment to switch.
  void read_back(Peer& peer, const PointSource& source, const Value& wanted, WriteOutcome& outcome) {
    const auto& object = source.where.as<ObjectSource>();
    const auto give_up = std::chrono::steady_clock::now() + settling_time;
    do {
      outcome.read_back = {std::nullopt, Quality::stale, context_.clock.now()};
      const auto objects = peer.reader.get({object.oid}, true);
      if (!objects) return;
      outcome.read_back = to_reading(*objects, object, source.conversion, context_.clock.now());
      outcome.agrees = is_alike(outcome.read_back, wanted);
    } while (!outcome.agrees && std::chrono::steady_clock::now() < give_up &&
             pause_until(context_.stop, std::chrono::steady_clock::now() + settling_step));
  }

  static Result<std::vector<FoundPoint>> find_points(Peer& peer) {
    TableReader tables{[&](const Oid& column) { return peer.reader.column(column); }};
    std::vector<FoundPoint> found;
    std::vector<Oid> singles;
    for (const ProfilePoint& point : peer.profile->points) {
      if (!point.must_be_discovered()) continue;
      const auto& object = point.source.where.as<ObjectSource>();
      if (!point.is_table()) {
        singles.push_back(object.oid);
        continue;
      }
      auto rows = tables.rows_of(object);
      if (!rows) return rows.error();
      for (Oid& index : *rows) {
        auto label = tables.label_of(object, index);
        if (!label) return label.error();
        found.push_back({point.key, std::move(index), *std::move(label)});
      }
    }
    const auto objects = peer.reader.get(singles, true);
    if (!objects) return objects.error();
    for (const ProfilePoint& point : peer.profile->points)
      if (point.is_optional && !point.is_table() &&
          objects->contains(point.source.where.as<ObjectSource>().oid))
        found.push_back({point.key, {}});
    return found;
  }

  BusContext context_;
  HostNames own_names_;
  SnmpKeyring keyring_;
  WantedLists lists_;
  Silences silences_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

// Every driver's are of this signature. NOLINTNEXTLINE(performance-unnecessary-value-param)
std::unique_ptr<Bus> make(std::vector<ConfiguredDevice> devices, BusContext context) {
  return std::make_unique<SnmpBus>(devices, std::move(context));
}

std::string text_at(const Objects& objects, const Oid& oid) {
  const auto found = objects.find(oid);
  const auto* text = found == objects.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text ? readable_text(*text) : "";
}

bool fits(const SnmpTraits& traits, const Objects& system, const std::set<Oid>& present) {
  if (text_at(system, system_description).find(traits.description) == std::string::npos) return false;
  const std::string id = text_at(system, system_object_id) + ".";
  return std::ranges::any_of(traits.system_object_ids,
                             [&](const Oid& prefix) { return id.starts_with(oid_text(prefix) + "."); }) ||
         std::ranges::any_of(traits.recognised_by, [&](const Oid& root) { return present.contains(root); });
}

const SnmpTraits& traits_of(const Profile& profile) { return profile.traits.as<SnmpTraits>(); }

Result<Profiles> recognise(const DeviceAddress& address,
                           std::span<const std::shared_ptr<const Profile>> profiles,
                           const BusContext& context, Patience patience) {
  const SnmpTraits traits;
  HostNames names;
  SnmpKeyring keyring;
  SnmpSession session{address, names, keyring, patience.reply_timeout, context.stop};
  ObjectReader reader{session, traits, has_bulk(address)};
  const auto system = reader.get({system_object_id, system_description}, patience.tries > 1);
  if (!system) return system.error();
  std::set<Oid> subtrees;
  for (const auto& profile : profiles) {
    const auto& recognised_by = traits_of(*profile).recognised_by;
    subtrees.insert(recognised_by.begin(), recognised_by.end());
  }
  const auto present = reader.present({subtrees.begin(), subtrees.end()});
  if (!present) return present.error();

  Profiles fitting;
  for (const auto& profile : profiles)
    if (fits(traits_of(*profile), *system, *present)) fitting.push_back(profile);
  std::ranges::stable_sort(fitting, std::greater{},
                           [](const auto& profile) { return traits_of(*profile).priority; });
  if (!fitting.empty()) return fitting;
  return fail(Errc::not_found, Retry::never,
              "no profile fits: sysObjectID {}, sysDescr \"{}\"; give one with --profile",
              text_at(*system, system_object_id), text_at(*system, system_description));
}

std::vector<std::string> survey(const DeviceAddress& address, const BusContext& context) {
  const SnmpTraits traits;
  HostNames names;
  SnmpKeyring keyring;
  SnmpSession session{address, names, keyring, Patience{}.reply_timeout, context.stop};
  ObjectReader reader{session, traits, has_bulk(address)};
  const auto system = reader.get({system_object_id, system_description}, true);
  if (!system) return {};
  return {"sysObjectID " + text_at(*system, system_object_id),
          "sysDescr " + text_at(*system, system_description)};
}

}  // namespace

const DriverType snmp{
    .name = "snmp",
    .addresses = snmp_addresses,
    .profiles = snmp_profiles,
    .is_concurrent = true,
    .tells_events = true,
    .prepare = prepare_snmp_library,
    .make = make,
    .recognise = recognise,
    .survey = survey,
};

}  // namespace watchroom::agent
