// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// A whole session from the broker: a byte of topic, two bytes of length, a payload, again and again. Whatever
// a node sends, the host keeps its books: a record number is never accepted twice.
#include <array>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "aggregator/intake/host.hpp"

namespace {

constexpr std::array topics{
    "spBv1.0/hq/NBIRTH/room1",    "spBv1.0/hq/NDEATH/room1",   "spBv1.0/hq/NDATA/room1",
    "spBv1.0/hq/DBIRTH/room1/d1", "spBv1.0/hq/DDATA/room1/d1", "spBv1.0/hq/DDEATH/room1/d1",
    "spBv1.0/hq/DBIRTH/room1/d2", "spBv1.0/hq/DDATA/room1/d2", "spBv1.0/STATE/watchroom",
    "spBv1.0/hq/NCMD/room1",      "spBv1.0/hq/NBIRTH/room2",   "spBv1.0/x"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom;
  using namespace watchroom::aggregator;
  IntakeSettings settings;
  settings.host_id = "watchroom";
  Host host{settings, Log::quiet()};
  Steady now{};
  host.connected(1, now);
  std::set<std::tuple<NodeKey, JournalId, std::int64_t, std::uint64_t>> seen;
  std::string_view rest{reinterpret_cast<const char*>(bytes), size};
  while (rest.size() >= 3) {
    const auto choice = static_cast<unsigned char>(rest[0]);
    const std::size_t length =
        (static_cast<unsigned char>(rest[1]) << 8 | static_cast<unsigned char>(rest[2]));
    rest.remove_prefix(3);
    const std::string_view payload = rest.substr(0, length);
    rest.remove_prefix(payload.size());
    now += std::chrono::milliseconds{choice * 20};
    const auto arrival = host.receive(topics[choice % topics.size()], payload, now);
    if (arrival && arrival->is_record && arrival->payload.journal) {
      const JournalStamp& stamp = *arrival->payload.journal;
      if (!seen.insert({arrival->node, stamp.journal_id, arrival->generation, stamp.record}).second)
        std::abort();
    }
    if ((choice & 0x10) != 0) host.committed();
    static_cast<void>(host.take_commands(Timestamp{}, now));
    static_cast<void>(host.take_given_up(now));
    static_cast<void>(host.next_deadline(now));
  }
  return 0;
}
