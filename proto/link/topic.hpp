// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace watchroom {

/// Sparkplug B 3.0.0 message types (chapter 4, topics).
enum class Verb { nbirth, ndeath, ndata, ncmd, dbirth, ddeath, ddata, dcmd };

std::string_view name_of(Verb verb);
/// True for the four verbs whose topic ends in a device.
bool is_device_verb(Verb verb);

/// spBv1.0/<group>/<verb>/<node>[/<device>], chapter 4 topic-structure. `device` is empty for node messages.
struct Topic {
  std::string group;
  Verb verb;
  std::string node;
  std::string device;

  std::string str() const;
  /// Nothing when it is not a Sparkplug topic of this form (STATE has its own).
  static std::optional<Topic> parse(std::string_view text);
  bool operator==(const Topic&) const = default;
};

/// One level of a topic: not empty, none of # / + and no blanks, which part the words of an acknowledgement.
bool is_valid_host_id(std::string_view id);

/// spBv1.0/STATE/<host>
std::string state_topic(std::string_view host);
std::optional<std::string> host_of_state_topic(std::string_view topic);

/// "{"online":true,"timestamp":…}" (host-topic-phid-birth-payload).
struct HostState {
  bool online = false;
  std::int64_t timestamp_ms = 0;

  std::string str() const;
  static std::optional<HostState> parse(std::string_view payload);
};

}  // namespace watchroom
