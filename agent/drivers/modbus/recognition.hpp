// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "agent/drivers/driver.hpp"

namespace watchroom::agent {

/// The profile whose identity and probe registers a Modbus unit has; the one with the most of them wins. An
/// error that names the candidates when none or several fit alike.
Result<Profiles> recognise_modbus(const DeviceAddress& address,
                                  std::span<const std::shared_ptr<const Profile>> profiles,
                                  const BusContext& context, Patience patience);

/// The first registers of a unit as numbers, in every byte order, with what is plausible marked.
std::vector<std::string> survey_modbus(const DeviceAddress& address, const BusContext& context);

}  // namespace watchroom::agent
