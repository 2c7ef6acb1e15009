// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/poll_result.hpp"

#include <cstdlib>

namespace watchroom::agent {

std::string_view name_of(ResourceClass resource_class) {
  switch (resource_class) {
    case ResourceClass::core: return "core";
    case ResourceClass::key: return "key";
    case ResourceClass::general: return "general";
  }
  std::abort();
}

std::optional<ResourceClass> resource_class_named(std::string_view name) {
  for (const auto one : {ResourceClass::core, ResourceClass::key, ResourceClass::general})
    if (name_of(one) == name) return one;
  return std::nullopt;
}

DeviceList listed(std::vector<DeviceDescription> devices) {
  DeviceList list;
  for (DeviceDescription& device : devices)
    list.push_back(std::make_shared<const DeviceDescription>(std::move(device)));
  return list;
}

std::optional<StateText> PointDescription::label(const std::string& called) const {
  if (!traits->label && called.empty()) return std::nullopt;
  StateText text = traits->label.value_or(StateText{name.label_zh(), name.label_en()});
  const auto add = [&](const std::string& more) {
    text.zh += more;
    text.en += more;
  };
  if (traits->label && !row.empty()) add(" " + row);
  if (!called.empty()) add(" · " + called);
  return text;
}

bool PointDescription::operator==(const PointDescription& other) const {
  return name == other.name && row == other.row && (traits == other.traits || *traits == *other.traits);
}

}  // namespace watchroom::agent
