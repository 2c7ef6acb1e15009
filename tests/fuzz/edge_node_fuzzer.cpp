// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// What the broker may bring to an agent: a byte of topic and time, a byte of length, a payload, again and
// again. Whatever it is, seq has no gap, and nothing is forgotten that no configured host acknowledged.
#include <array>
#include <cstdlib>
#include <string_view>

#include "agent/link/edge_node.hpp"

namespace {

using namespace watchroom;
using namespace watchroom::agent;

constexpr std::array topics{"spBv1.0/hq/NCMD/room1", "spBv1.0/STATE/centre", "spBv1.0/hq/NCMD/room2",
                            "spBv1.0/STATE/x"};

void check_seq(const Outgoing& out, std::optional<std::uint8_t>& last) {
  for (const OutgoingMessage& outgoing : out.messages) {
    const auto payload = decode(outgoing.message.payload);
    if (!payload || !payload->seq) std::abort();
    const bool is_birth = Topic::parse(outgoing.message.topic)->verb == Verb::nbirth;
    if (is_birth ? *payload->seq != 0 : *payload->seq != static_cast<std::uint8_t>(last.value() + 1))
      std::abort();
    last = payload->seq;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  FakeClock clock;
  JournalSettings journal_settings;
  journal_settings.ack_hosts = {"centre"};
  const auto journal = *Journal::open(":memory:", journal_settings, clock, Log::quiet());
  Payload record;
  record.metrics = {{.name = "leak.state", .at = clock.now(), .value = std::int64_t{1}}};
  for (int i = 0; i < 5; ++i) journal->append("leak1", encode(record, WithDatatypes::no), Urgency::urgent);
  if (!journal->commit()) std::abort();

  DeviceDescription device;
  device.id = "leak1";
  const DeviceList devices = listed({device});
  EdgeNode node{{.group = "hq", .node = "room1", .name = "", .ack_hosts = {"centre"}},
                devices,
                *journal,
                clock,
                Log::quiet()};
  std::optional<std::uint8_t> last;
  static_cast<void>(node.will(1));
  node.connected(1);
  std::string_view rest{reinterpret_cast<const char*>(bytes), size};
  while (rest.size() >= 2) {
    const auto choice = static_cast<unsigned char>(rest[0]);
    const std::size_t length = static_cast<unsigned char>(rest[1]);
    rest.remove_prefix(2);
    const std::string_view payload = rest.substr(0, length);
    rest.remove_prefix(payload.size());
    if ((choice & 0x40) != 0) {  // random bytes seldom become a command that is understood
      Payload command;
      command.metrics = {{.name = std::string{metric_names::journal_ack},
                          .value = to_hex(journal->id()) + " centre " + std::string{payload}},
                         {.name = std::string{metric_names::rebirth}, .value = (choice & 0x20) != 0}};
      node.arrived(1, topics[0], encode(command, WithDatatypes::yes));
    } else {
      node.arrived(1, topics[choice % topics.size()], payload);
    }
    clock.advance(std::chrono::milliseconds{choice * 40});
    node.tick();
    check_seq(node.take(), last);
    if (journal->oldest() > journal->head() + 1 || journal->lost() != 0) std::abort();
  }
  return 0;
}
