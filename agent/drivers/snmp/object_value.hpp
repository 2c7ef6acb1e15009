// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agent/drivers/readable_text.hpp"
#include "agent/drivers/snmp/object_source.hpp"
#include "proto/base/clock.hpp"
#include "proto/model/reading.hpp"

namespace watchroom::agent {

/// No such object, no such instance, end of the MIB, or a value of an unknown type.
struct NothingThere {
  bool operator==(const NothingThere&) const = default;
};
/// A text is the bytes as they came.
using ObjectValue = std::variant<NothingThere, std::int64_t, double, std::string>;

/// The number at the start of a text: "23.5 C" is 23.5.
std::optional<double> leading_number(std::string_view text);

/// The reading an object makes. Where a number is due, a text gives its leading number.
Reading to_reading(const ObjectValue& value, const Conversion& conversion, Timestamp at,
                   UnitFactor factor = {});
/// The same with the part of the object that the source means.
Reading to_reading(const ObjectValue& value, const ObjectSource& source, const Conversion& conversion,
                   Timestamp at, UnitFactor factor = {});
/// The same with the source's decimals and factor, which stand among `objects` as the value does.
Reading to_reading(const std::map<Oid, ObjectValue>& objects, const ObjectSource& source,
                   const Conversion& conversion, Timestamp at);
/// The code or number in an object, if it is whole.
std::optional<std::int64_t> whole_number(const ObjectValue& value);

}  // namespace watchroom::agent
