// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "agent/drivers/driver.hpp"
#include "agent/profiles/profile.hpp"

namespace watchroom::agent {

/// The address of a device on the command line; else all that is wrong with it.
Result<DeviceAddress> address_on_command_line(const std::string& url);

/// A profile by name, in the folder, or by a path ending in .toml.
Result<Profiles> load_named(const std::filesystem::path& folder, const std::string& name,
                            std::string_view driver);

/// A device without settings; its points are to be set.
ConfiguredDevice device_of(DeviceAddress address, std::shared_ptr<const Profile> profile);

/// The meaning of a state's code; nothing where it has none.
const StateText* state_of(const PointDescription& point, const Reading& reading);

/// Tells an error, in JSON too if that was asked for; gives the exit code.
int report_failure(const Error& error, bool is_json);

}  // namespace watchroom::agent
