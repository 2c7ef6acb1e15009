// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/snmp/trap_receiver.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>

#include <net-snmp/library/large_fd_set.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/drivers/snmp/engine.hpp"
#include "agent/drivers/snmp/library.hpp"
#include "agent/drivers/snmp/trap_header.hpp"
#include "agent/drivers/snmp/trap_senders.hpp"
#include "agent/drivers/snmp/trap_talk.hpp"
#include "agent/drivers/snmp/trap_text.hpp"
#include "agent/drivers/snmp/trap_users.hpp"
#include "agent/drivers/snmp/trap_warnings.hpp"

namespace watchroom::agent {
namespace {

using namespace std::chrono_literals;

const Oid trap_oid_object{1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
const Oid trap_address_object{1, 3, 6, 1, 6, 3, 18, 1, 3, 0};  // RFC 3584 3.1: put in by a relay
constexpr std::size_t largest_datagram = 65'535;
constexpr auto try_again_after = 60s;

std::uint64_t fingerprint_of(std::string_view bytes) { return std::hash<std::string_view>{}(bytes); }

/// What one datagram is, while net-snmp takes it apart and calls us back.
struct Datagram {
  IpAddress source{};
  std::string_view bytes;
  TrapHeader header;
  std::vector<std::size_t> devices;  // v3: those whose user it names
  bool was_understood = false;       // by net-snmp
  bool is_no_notification = false;   // but a request, or what net-snmp makes of one it refuses
  bool is_authentic = false;         // its keys proved who sent it
};

struct Notification {
  Oid oid;
  std::optional<IpAddress> relayed_for;
  std::vector<Varbind> bindings;
};

std::optional<Notification> notification_in(const netsnmp_pdu& pdu) {
  Notification notification;
  notification.bindings = varbinds_of(pdu);
  if (pdu.command == SNMP_MSG_TRAP) {
    Oid enterprise;
    for (std::size_t i = 0; i < pdu.enterprise_length; ++i)
      enterprise.push_back(static_cast<std::uint32_t>(pdu.enterprise[i]));
    notification.oid = notification_of(enterprise, static_cast<int>(pdu.trap_type),
                                       static_cast<std::uint32_t>(pdu.specific_type));
    notification.relayed_for = parse_ip_address(fmt::format(
        "{}.{}.{}.{}", pdu.agent_addr[0], pdu.agent_addr[1], pdu.agent_addr[2], pdu.agent_addr[3]));
    return notification;
  }
  for (const Varbind& binding : notification.bindings) {
    const auto* text = std::get_if<std::string>(&binding.value);
    if (binding.oid == trap_oid_object && text) notification.oid = parse_oid(*text).value_or(Oid{});
    if (binding.oid == trap_address_object && text) notification.relayed_for = parse_ip_address(*text);
  }
  if (notification.oid.empty()) return std::nullopt;
  return notification;
}

std::string why_not_open(const std::string& address, int error) {
  std::string text = fmt::format("SNMP traps: cannot listen on {}: {}", address, ::strerror(error));
  if (error == EACCES) text += "; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE";
  return text;
}

}  // namespace

class TrapReceiver::Work {
 public:
  Work(const AgentSettings& settings, const Clock& clock, HostNames& names, Log log, Outputs outputs)
      : settings_{settings},
        clock_{clock},
        log_{std::move(log)},
        outputs_{std::move(outputs)},
        senders_{settings.devices, names, settings.snmp_traps.community, log_},
        wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
        buffer_(largest_datagram),
        tally_{outputs_.tally ? *outputs_.tally : own_tally_} {
    for (const std::string& address : settings.snmp_traps.listen) listeners_.push_back({address});
  }
  ~Work() {
    stop();
    ::close(wake_);
  }

  void start() {
    prepare_snmp_library(settings_.data_dir);
    const SnmpEngine engine = start_snmp_engine(settings_.data_dir, log_);
    use_snmp_engine(engine);
    users_.emplace(engine.id);
    open_all();
    thread_ = std::thread{[this] { run(); }};
  }

  void stop() {
    stop_.request_stop();
    [[maybe_unused]] const auto written = ::eventfd_write(wake_, 1);
    if (thread_.joinable()) thread_.join();
    const auto lock = lock_snmp_library();
    for (Listener& listener : listeners_) {
      if (listener.handle) snmp_sess_close(listener.handle);
      listener.handle = nullptr;
    }
  }

  TrapCounts counts() const { return tally_.counts(); }

 private:
  struct Listener {
    std::string address;
    void* handle = nullptr;  // net-snmp's session; null: not open
    int descriptor = -1;
    bool was_told = false;
  };

  void open_all() {
    for (Listener& listener : listeners_)
      if (!listener.handle) open(listener);
    opened_at_ = clock_.steady();
  }

  void open(Listener& listener) {
    const auto lock = lock_snmp_library();
    const std::string place = (listener.address.starts_with('[') ? "udp6:" : "udp:") + listener.address;
    errno = 0;
    netsnmp_transport* transport = netsnmp_transport_open_server("snmptrap", place.c_str());
    if (!transport) {
      if (!std::exchange(listener.was_told, true)) log_.error("{}", why_not_open(listener.address, errno));
      return;
    }
    constexpr int storm_bytes = 4 * 1024 * 1024;  // the kernel gives what it allows
    ::setsockopt(transport->sock, SOL_SOCKET, SO_RCVBUF, &storm_bytes, sizeof storm_bytes);
    const int descriptor = transport->sock;
    netsnmp_session session;
    snmp_sess_init(&session);
    session.peername = SNMP_DEFAULT_PEERNAME;
    session.version = SNMP_DEFAULT_VERSION;
    session.community_len = SNMP_DEFAULT_COMMUNITY_LEN;
    session.callback = &Work::arrived;
    session.callback_magic = this;
    session.isAuthoritative = SNMP_SESS_UNKNOWNAUTH;
    listener.handle = snmp_sess_add(&session, transport, nullptr, nullptr);
    listener.descriptor = descriptor;
    if (listener.handle)
      log_.info("SNMP traps: listening on {}", listener.address);
    else if (!std::exchange(listener.was_told, true))
      log_.error("SNMP traps: cannot listen on {}", listener.address);
  }

  void run() {
    const std::stop_token stop = stop_.get_token();
    while (!stop.stop_requested()) {
      std::vector<pollfd> waiting{{wake_, POLLIN, 0}};
      for (const Listener& listener : listeners_)
        if (listener.handle) waiting.push_back({listener.descriptor, POLLIN, 0});
      constexpr int tick_ms = 1000;
      ::poll(waiting.data(), waiting.size(), tick_ms);
      senders_.refresh_names();
      for (Listener& listener : listeners_) {
        constexpr int most_at_once = 256;
        for (int i = 0; i < most_at_once && listener.handle && !stop.stop_requested(); ++i)
          if (!take_one(listener)) break;
      }
      tell_storms();
      if (clock_.steady() - opened_at_ > try_again_after) open_all();
    }
  }

  /// False: nothing more is there.
  bool take_one(Listener& listener) {
    sockaddr_storage from{};
    socklen_t from_length = sizeof from;
    // Looked at before net-snmp takes it: who is unknown costs no more than this.
    const auto length = ::recvfrom(listener.descriptor, buffer_.data(), buffer_.size(),
                                   MSG_PEEK | MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &from_length);
    if (length < 0) return false;
    Datagram datagram;
    datagram.bytes = {reinterpret_cast<const char*>(buffer_.data()), static_cast<std::size_t>(length)};
    const auto source = ip_address_of(reinterpret_cast<const sockaddr&>(from));
    auto header = read_trap_header({buffer_.data(), static_cast<std::size_t>(length)});
    if (!source || !header) {
      count(&TrapCounts::malformed);
      discard(listener);
      return true;
    }
    datagram.source = *source;
    datagram.header = *std::move(header);
    if (datagram.header.version == 3 && !admit_user(datagram)) {
      discard(listener);
      return true;
    }
    read(listener, datagram);
    return true;
  }

  void discard(const Listener& listener) {
    std::uint8_t byte = 0;
    [[maybe_unused]] const auto length = ::recv(listener.descriptor, &byte, 1, MSG_DONTWAIT);
  }

  /// Lets only those in whom it may be from: the library would answer, and remember, anybody.
  bool admit_user(Datagram& datagram) {
    const auto& [version, engine_id, user] = datagram.header;
    const bool is_discovery = user.empty() && engine_id.empty();
    datagram.devices =
        is_discovery ? senders_.at(datagram.source) : senders_.with_user(datagram.source, user);
    if (datagram.devices.empty()) {
      const bool is_known = !senders_.at(datagram.source).empty();
      refuse(is_known ? &TrapCounts::not_authentic : &TrapCounts::unknown_sender, datagram.source,
             is_known ? "its SNMPv3 user is not the configured one" : "it is no configured device");
      return false;
    }
    return true;
  }

  void read(Listener& listener, Datagram& datagram) {
    const bool is_v3 = datagram.header.version == 3;
    const bool has_user = is_v3 && !datagram.header.user.empty();
    // Keys are made outside the lock: it takes a million hashes.
    const SnmpSecrets* secrets = has_user ? senders_.secrets_of(datagram.devices.front()) : nullptr;
    if (has_user && !secrets) {
      count(&TrapCounts::not_authentic);
      discard(listener);
      return;
    }
    const auto lock = lock_snmp_library();
    if (has_user)
      users_->prepare(datagram.header.engine_id, senders_.address_of(datagram.devices.front()), *secrets);
    const SecurityCounts before = SecurityCounts::now();
    datagram_ = &datagram;
    reading_ = &listener;
    netsnmp_large_fd_set readable;
    netsnmp_large_fd_set_init(&readable, listener.descriptor + 1);
    netsnmp_large_fd_setfd(listener.descriptor, &readable);
    snmp_sess_read2(listener.handle, &readable);
    netsnmp_large_fd_set_cleanup(&readable);
    datagram_ = nullptr;
    if (has_user) users_->settle(datagram.is_authentic);
    if (datagram.was_understood) return;
    const bool is_wrong = SecurityCounts::now() != before;
    if (is_v3 && is_wrong)
      refuse(&TrapCounts::not_authentic, datagram.source, "wrong SNMPv3 passphrase, algorithm or level");
    else if (!is_v3 || datagram.is_no_notification)
      count(&TrapCounts::malformed);
    else if (has_user && !users_->is_ours(datagram.header.engine_id))
      refuse(&TrapCounts::not_authentic, datagram.source,
             "its SNMPv3 boots and time are behind what it said before: replayed, or its clock went back");
  }

  static int arrived(int operation, netsnmp_session*, int, netsnmp_pdu* pdu, void* context) {
    auto& work = *static_cast<Work*>(context);
    if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu && work.datagram_)
      work.take(*work.datagram_, *pdu);
    return 1;
  }

  void take(Datagram& datagram, netsnmp_pdu& pdu) {
    if (pdu.command != SNMP_MSG_TRAP && pdu.command != SNMP_MSG_TRAP2 && pdu.command != SNMP_MSG_INFORM) {
      datagram.is_no_notification = true;
      return;
    }
    datagram.was_understood = true;
    const auto notification = notification_in(pdu);
    if (!notification) {
      count(&TrapCounts::malformed);
      return;
    }
    std::vector<std::size_t> devices = datagram.header.version == 3
                                           ? with_level(datagram, pdu.securityLevel)
                                           : with_community(datagram, pdu, *notification);
    if (devices.empty()) return;
    if (tell(datagram, pdu, *notification, whose(devices, notification->oid)) &&
        pdu.command == SNMP_MSG_INFORM)
      acknowledge(pdu);
    for (const std::size_t device : devices) outputs_.hurry(device, is_start(notification->oid));
  }

  /// USM looks at keys only where a message claims to have any, so that the level is ours to demand.
  std::vector<std::size_t> with_level(Datagram& datagram, int level) {
    std::vector<std::size_t> devices = datagram.devices;
    std::erase_if(devices,
                  [&](std::size_t device) { return level < security_level(senders_.address_of(device)); });
    if (devices.empty())
      refuse(&TrapCounts::not_authentic, datagram.source,
             "its SNMPv3 security level is below the configured");
    datagram.is_authentic = !devices.empty() && level > SNMP_SEC_LEVEL_NOAUTH;
    return devices;
  }

  std::vector<std::size_t> with_community(const Datagram& datagram, const netsnmp_pdu& pdu,
                                          const Notification& notification) {
    const std::string community{reinterpret_cast<const char*>(pdu.community), pdu.community_len};
    bool is_known = false;
    const auto accepted = [&](const std::optional<IpAddress>& address) {
      std::vector<std::size_t> devices = address ? senders_.at(*address) : std::vector<std::size_t>{};
      is_known |= !devices.empty();
      std::erase_if(devices,
                    [&](std::size_t device) { return !senders_.accepts_community(device, community); });
      return devices;
    };
    std::vector<std::size_t> devices = accepted(notification.relayed_for);
    if (devices.empty()) devices = accepted(datagram.source);
    if (devices.empty())
      refuse(is_known ? &TrapCounts::not_authentic : &TrapCounts::unknown_sender, datagram.source,
             is_known ? "wrong community" : "it is no configured device");
    return devices;
  }

  /// Of several devices at one address the one whose profile knows the trap.
  std::size_t whose(const std::vector<std::size_t>& devices, const Oid& notification) const {
    const auto knows = [&](std::size_t device) {
      return senders_.device(device).profile->traits.as<SnmpTraits>().trap_named(notification) != nullptr;
    };
    const auto found = std::find_if(devices.begin(), devices.end(), knows);
    return found == devices.end() ? devices.front() : *found;
  }

  /// True when it is told, now or before, so that an inform may be acknowledged.
  bool tell(const Datagram& datagram, const netsnmp_pdu& pdu, const Notification& notification,
            std::size_t device) {
    const Steady now = clock_.steady();
    TrapTalk& talk = talks_[device];
    // Traps of v1 and v2c say nothing by which two of them could be told from one that came twice.
    const bool can_repeat = datagram.header.version == 3 || pdu.command == SNMP_MSG_INFORM;
    std::string text = trap_text(*senders_.device(device).profile, notification.oid, notification.bindings);
    const std::uint64_t fingerprint =
        pdu.command == SNMP_MSG_INFORM
            ? fingerprint_of(fmt::format("{} {} {}", pdu.reqid, uptime_of(notification), text))
            : fingerprint_of(datagram.bytes);
    if (can_repeat && talk.is_repeated(fingerprint, now)) {
      count(&TrapCounts::duplicates);
      return true;
    }
    if (!talk.may_tell(now) || !outputs_.deliver({device, clock_.now(), std::move(text)})) {
      // An inform comes again.
      if (pdu.command != SNMP_MSG_INFORM) talk.could_not_tell(now);
      count(&TrapCounts::untold);
      return false;
    }
    if (can_repeat) talk.told(fingerprint, now);
    count(&TrapCounts::accepted);
    return true;
  }

  static std::int64_t uptime_of(const Notification& notification) {
    const auto* first = notification.bindings.empty()
                            ? nullptr
                            : std::get_if<std::int64_t>(&notification.bindings.front().value);
    return first ? *first : 0;
  }

  void acknowledge(netsnmp_pdu& inform) {
    netsnmp_pdu* reply = snmp_clone_pdu(&inform);
    if (!reply) return;
    reply->command = SNMP_MSG_RESPONSE;
    reply->errstat = 0;
    reply->errindex = 0;
    if (snmp_sess_send(reading_->handle, reply) == 0) snmp_free_pdu(reply);
  }

  void tell_storms() {
    const Steady now = clock_.steady();
    for (auto& [device, talk] : talks_)
      if (const std::uint64_t untold = talk.take_untold(now); untold > 0)
        outputs_.deliver(
            {device, clock_.now(),
             fmt::format("告警过多，另有 {} 条未逐条记录 {} more traps came too fast to be told one by one",
                         untold, untold)});
  }

  void count(std::uint64_t TrapCounts::*which) { tally_.count(which); }

  void refuse(std::uint64_t TrapCounts::*which, const IpAddress& source, std::string_view why) {
    count(which);
    const auto known = senders_.at(source).empty() ? std::nullopt : std::optional{source};
    if (!warnings_.may_tell(known, why, clock_.steady())) return;
    const TrapCounts all = counts();
    log_.warning("SNMP traps: one from {} is ignored: {} ({} ignored so far)", ip_text(source), why,
                 all.unknown_sender + all.not_authentic);
  }

  const AgentSettings& settings_;
  const Clock& clock_;
  Log log_;
  Outputs outputs_;
  TrapSenders senders_;
  std::optional<TrapUsers> users_;
  std::vector<Listener> listeners_;
  Steady opened_at_{};
  int wake_;
  std::vector<std::uint8_t> buffer_;
  Datagram* datagram_ = nullptr;  // while net-snmp has it; guarded by the library's lock
  Listener* reading_ = nullptr;
  std::map<std::size_t, TrapTalk> talks_;  // of the devices that ever told something
  TrapWarnings warnings_;
  TrapTally own_tally_;
  TrapTally& tally_;
  std::stop_source stop_;
  std::thread thread_;
};

TrapReceiver::TrapReceiver(const AgentSettings& settings, const Clock& clock, HostNames& names, Log log,
                           Outputs outputs)
    : work_{std::make_unique<Work>(settings, clock, names, std::move(log), std::move(outputs))} {}

TrapReceiver::~TrapReceiver() = default;

void TrapReceiver::start() { work_->start(); }
void TrapReceiver::stop() { work_->stop(); }
TrapCounts TrapReceiver::counts() const { return work_->counts(); }

}  // namespace watchroom::agent
