// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
//
// Topics, host states, point names, alarms and acknowledgements: what parses says the same when written
// again.
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proto/link/payload.hpp"
#include "proto/link/topic.hpp"
#include "proto/model/point_alarm.hpp"
#include "proto/model/point_name.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom;
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  if (const auto topic = Topic::parse(text); topic && topic->str() != text) std::abort();
  if (const auto host = host_of_state_topic(text); host && state_topic(*host) != text) std::abort();
  if (const auto state = HostState::parse(text)) {
    const auto again = HostState::parse(state->str());
    if (!again || again->online != state->online || again->timestamp_ms != state->timestamp_ms) std::abort();
  }
  if (const auto name = PointName::parse(text)) {
    if (name->str() != text) std::abort();
    if (name->label_zh().empty() || name->label_en().empty()) std::abort();
  }
  if (const auto ack = JournalAck::parse(text)) {
    const auto again = JournalAck::parse(ack->str());
    if (!again || !(*again == *ack)) std::abort();
  }
  std::vector<PointAlarm> alarms;
  for (const auto& alarm : alarms_from_json(text).alarms)
    if (alarm) alarms.push_back(*alarm);
  const auto again = alarms_from_json(to_json(alarms));
  if (again.alarms.size() != alarms.size() || !again.trouble.empty()) std::abort();
  for (std::size_t i = 0; i < alarms.size(); ++i)
    if (again.alarms[i] != alarms[i]) std::abort();
  if (const auto id = journal_id_from_hex(text); id && to_hex(*id).size() != 32) std::abort();
  static_cast<void>(without_instances(text));
  const auto half = size / 2;
  static_cast<void>(matches_glob(text.substr(0, half), text.substr(half)));
  return 0;
}
