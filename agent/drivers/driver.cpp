// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/driver.hpp"

namespace watchroom::agent {
namespace {

Communication communication_of(Errc code) {
  switch (code) {
    case Errc::no_answer: return Communication::no_answer;
    case Errc::refused: return Communication::refused;
    case Errc::not_authorized: return Communication::not_authorized;
    case Errc::corrupt: return Communication::corrupt;
    case Errc::cancelled: return Communication::unknown;
    default: return Communication::not_connected;
  }
}

}  // namespace

Answer silent_answer(const Error& error, std::size_t points, Timestamp at) {
  Answer answer;
  answer.communication = communication_of(error.code);
  answer.text = error.text;
  answer.readings.assign(points, Reading{std::nullopt, Quality::stale, at});
  return answer;
}

Result<WriteOutcome> Bus::write(std::size_t, const PointSource&, const Value&) {
  return fail(Errc::invalid, Retry::never, "points of this bus cannot be written");
}

const DriverType* driver_named(std::string_view name) {
  for (const DriverType* type : driver_types())
    if (type->name == name) return type;
  return nullptr;
}

}  // namespace watchroom::agent
