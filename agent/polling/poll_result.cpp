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

std::optional<StateText> PointDescription::label() const {
  if (!traits->label || row.empty()) return traits->label;
  return StateText{traits->label->zh + " " + row, traits->label->en + " " + row};
}

bool PointDescription::operator==(const PointDescription& other) const {
  return name == other.name && row == other.row && (traits == other.traits || *traits == *other.traits);
}

}  // namespace watchroom::agent
