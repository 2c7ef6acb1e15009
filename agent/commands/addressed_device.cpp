// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/commands/addressed_device.hpp"

#include "agent/commands/commands.hpp"

namespace watchroom::agent {

Result<DeviceAddress> address_on_command_line(const std::string& url) {
  std::vector<AddressComplaint> complaints;
  auto address = parse_address(url, AddressOrigin::probe, complaints);
  if (address) return *std::move(address);
  std::string all;
  for (const AddressComplaint& complaint : complaints)
    all += fmt::format("{}{}{}{}", all.empty() ? "" : "\n", complaint.part,
                       complaint.part.empty() ? "" : ": ", complaint.text);
  return Error{Errc::invalid, Retry::never, std::move(all)};
}

Result<Profiles> load_named(const std::filesystem::path& folder, const std::string& name,
                            std::string_view driver) {
  const std::filesystem::path file =
      name.ends_with(".toml") ? std::filesystem::path{name} : folder / (name + ".toml");
  Problems problems;
  auto profile = Profile::load(file, problems);
  if (!profile) return fail(Errc::invalid, Retry::never, "{}", problems.str());
  if (profile->bus != driver)
    return fail(Errc::invalid, Retry::never, "{} is a {} profile, but the address is a {} one", profile->name,
                profile->bus, driver);
  return Profiles{std::make_shared<const Profile>(*std::move(profile))};
}

ConfiguredDevice device_of(DeviceAddress address, std::shared_ptr<const Profile> profile) {
  ConfiguredDevice device;
  device.description.id = "probe";
  device.description.profile = profile->name;
  device.reply_timeout = profile->reply_timeout;
  device.gap = profile->gap;
  device.address = std::move(address);
  device.profile = std::move(profile);
  return device;
}

int report_failure(const Error& error, bool is_json) {
  return command_line::give_up("watchroom-agent", error, is_json);
}

const StateText* state_of(const PointDescription& point, const Reading& reading) {
  const auto* code = reading.value ? std::get_if<std::int64_t>(&*reading.value) : nullptr;
  const auto& states = point.traits->states;
  const auto state = code ? states.find(*code) : states.end();
  return state == states.end() ? nullptr : &state->second;
}

}  // namespace watchroom::agent
