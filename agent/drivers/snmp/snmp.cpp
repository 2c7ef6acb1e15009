// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/snmp.hpp"

#include <algorithm>
#include <map>

#include "agent/drivers/conversion.hpp"
#include "agent/drivers/snmp/library.hpp"
#include "agent/drivers/snmp/object_reader.hpp"

namespace watchroom::agent {
namespace {

using Objects = std::map<Oid, ObjectValue>;

const Oid system_object_id{1, 3, 6, 1, 2, 1, 1, 2, 0};
const Oid system_description{1, 3, 6, 1, 2, 1, 1, 1, 0};

bool has_bulk(const DeviceAddress& address) {
  return std::get<SnmpAddress>(address.where).version != SnmpVersion::v1;
}

/// One device: its conversation and what it was last like.
struct Peer {
  ConfiguredDevice device;
  SnmpSession session;
  ObjectReader reader;
  std::vector<Oid> oids;
  bool answered_last_time = false;

  Peer(ConfiguredDevice configured, std::stop_token stop)
      : device{std::move(configured)},
        session{device.address, device.reply_timeout, std::move(stop)},
        reader{session, device.profile->snmp, has_bulk(device.address)} {
    for (const PointSource& source : device.sources) oids.push_back(std::get<ObjectSource>(source.where).oid);
    if (oids.empty()) oids.push_back(system_object_id);  // rows not known yet: at least a sign of life
  }
};

void warn_of_weak_algorithms(const ConfiguredDevice& device, const Log& log) {
  const auto& address = std::get<SnmpAddress>(device.address.where);
  if (address.authentication == SnmpAuthentication::md5 || address.privacy == SnmpPrivacy::des)
    log.warning("{}: MD5 and DES are broken; use SHA-256 and AES if the device can", device.description.id);
}

class SnmpBus final : public Bus {
 public:
  SnmpBus(std::vector<ConfiguredDevice> devices, BusContext context) : context_{std::move(context)} {
    for (ConfiguredDevice& device : devices) {
      warn_of_weak_algorithms(device, context_.log);
      peers_.push_back(std::make_unique<Peer>(std::move(device), context_.stop));
    }
  }

  Answer read(std::size_t device) override {
    Peer& peer = *peers_[device];
    const auto objects = peer.reader.get(peer.oids, peer.answered_last_time);
    const Timestamp at = context_.clock.now();
    peer.answered_last_time = static_cast<bool>(objects);
    if (!objects) return silent_answer(objects.error(), peer.device.sources.size(), at);
    if (objects->empty())
      return silent_answer(fail(Errc::refused, Retry::later,
                                "the device answers, but has none of the objects of the profile {}",
                                peer.device.profile->name),
                           peer.device.sources.size(), at);
    Answer answer;
    answer.communication = Communication::ok;
    for (std::size_t i = 0; i < peer.device.sources.size(); ++i)
      answer.readings.push_back(
          object_reading(*objects, peer.oids[i], peer.device.sources[i].conversion, at));
    return answer;
  }

  Result<std::vector<FoundPoint>> discover(std::size_t device) override {
    Peer& peer = *peers_[device];
    std::vector<FoundPoint> found;
    std::vector<Oid> singles;
    for (const ProfilePoint& point : peer.device.profile->points) {
      if (!point.must_be_discovered()) continue;
      const Oid& oid = std::get<ObjectSource>(point.source.where).oid;
      if (!point.is_table()) {
        singles.push_back(oid);
        continue;
      }
      auto rows = peer.reader.rows_of(oid);
      if (!rows) return rows.error();
      for (Oid& index : *rows) found.push_back({point.name, std::move(index)});
    }
    const auto objects = peer.reader.get(singles, true);
    if (!objects) return objects.error();
    for (const ProfilePoint& point : peer.device.profile->points)
      if (point.is_optional && !point.is_table() &&
          objects->contains(std::get<ObjectSource>(point.source.where).oid))
        found.push_back({point.name, {}});
    return found;
  }

 private:
  static Reading object_reading(const Objects& objects, const Oid& oid, const Conversion& conversion,
                                Timestamp at) {
    const auto found = objects.find(oid);
    return to_reading(found == objects.end() ? ObjectValue{NothingThere{}} : found->second, conversion, at);
  }

  BusContext context_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

std::unique_ptr<Bus> make(std::vector<ConfiguredDevice> devices, BusContext context) {
  return std::make_unique<SnmpBus>(std::move(devices), std::move(context));
}

/// How well a profile fits; 0: not at all. A maker's own profile beats a standard one, then the longer
/// sysObjectID prefix wins.
std::size_t fitness(const Profile& profile, const std::string& object_id, const Objects& objects) {
  constexpr std::size_t by_priority = 1000;
  const std::size_t base = by_priority * (static_cast<std::size_t>(profile.snmp.priority) + 1);
  std::size_t best = 0;
  for (const Oid& prefix : profile.snmp.system_object_ids)
    if ((object_id + ".").starts_with(oid_text(prefix) + ".")) best = std::max(best, base + prefix.size());
  for (const Oid& oid : profile.snmp.recognised_by)
    if (objects.contains(oid)) best = std::max(best, base);
  return best;
}

std::string text_at(const Objects& objects, const Oid& oid) {
  const auto found = objects.find(oid);
  const auto* text = found == objects.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text ? *text : "";
}

Result<std::shared_ptr<const Profile>> recognise(const DeviceAddress& address,
                                                 std::span<const std::shared_ptr<const Profile>> profiles,
                                                 const BusContext& context) {
  const SnmpTraits traits;
  SnmpSession session{address, traits.reply_timeout, context.stop};
  ObjectReader reader{session, traits, has_bulk(address)};
  std::vector<Oid> oids{system_object_id, system_description};
  for (const auto& profile : profiles)
    oids.insert(oids.end(), profile->snmp.recognised_by.begin(), profile->snmp.recognised_by.end());
  const auto objects = reader.get(oids, true);
  if (!objects) return objects.error();

  const std::string object_id = text_at(*objects, system_object_id);
  std::shared_ptr<const Profile> best;
  std::size_t best_fitness = 0;
  for (const auto& profile : profiles)
    if (const std::size_t found = fitness(*profile, object_id, *objects); found > best_fitness)
      best_fitness = found, best = profile;
  if (best) return best;
  return fail(Errc::not_found, Retry::never,
              "no profile fits: sysObjectID {}, sysDescr \"{}\"; give one with --profile", object_id,
              text_at(*objects, system_description));
}

}  // namespace

const DriverType snmp{"snmp", prepare_snmp_library, make, recognise};

}  // namespace watchroom::agent
