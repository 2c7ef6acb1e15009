// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/judge/kept_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "proto/base/replace_file.hpp"

namespace watchroom::agent {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

std::string this_boot() {
  std::ifstream file{"/proc/sys/kernel/random/boot_id"};
  std::string id;
  std::getline(file, id);
  return id;
}

Error io_error(const std::filesystem::path& file) {
  return fail(Errc::io, Retry::later, "{}: {}", file.string(), std::strerror(errno));
}

Inhibition inhibition_of(const json& told, const std::string& boot, Instant now) {
  Inhibition inhibition;
  inhibition.owner = told.at("owner").get<std::string>();
  inhibition.reason = told.at("reason").get<std::string>();
  inhibition.granted = milliseconds{told.at("granted_ms").get<std::int64_t>()};
  inhibition.until_wall = from_ms(told.at("until_ms").get<std::int64_t>());
  const bool is_same_boot = !boot.empty() && told.at("boot").get<std::string>() == boot;
  const milliseconds left = is_same_boot ? milliseconds{told.at("until_steady_ms").get<std::int64_t>()} -
                                               now.steady.time_since_epoch()
                                         : inhibition.until_wall - now.wall;
  inhibition.until = now.steady + std::min(left, inhibition.granted);
  return inhibition;
}

}  // namespace

KeptFile::KeptFile(std::filesystem::path file) : file_{std::move(file)}, boot_{this_boot()} {}

Result<KeptByJudge> KeptFile::read(Instant now) const {
  std::ifstream file{file_};
  if (!file) {
    if (errno == ENOENT) return fail(Errc::not_found, Retry::never, "{}: there is none", file_.string());
    return io_error(file_);
  }
  std::ostringstream text;
  text << file.rdbuf();
  try {
    const json told = json::parse(text.str());
    KeptByJudge kept;
    kept.latched = told.at("latched").get<std::vector<std::string>>();
    if (told.contains("put_back"))
      for (const auto& [name, drive] : told.at("put_back").items())
        kept.put_back[name] = drive.get<bool>() ? Drive::on : Drive::off;
    if (told.contains("inhibit")) kept.inhibition = inhibition_of(told.at("inhibit"), boot_, now);
    return kept;
  } catch (const json::exception& error) {
    return fail(Errc::corrupt, Retry::never, "{}: {}", file_.string(), error.what());
  }
}

Result<void> KeptFile::write(const KeptByJudge& kept) const {
  json told{{"latched", kept.latched}};
  for (const auto& [name, drive] : kept.put_back) told["put_back"][name] = drive == Drive::on;
  if (const auto& inhibition = kept.inhibition)
    told["inhibit"] = {{"owner", inhibition->owner},
                       {"reason", inhibition->reason},
                       {"granted_ms", inhibition->granted.count()},
                       {"until_ms", to_ms(inhibition->until_wall)},
                       {"boot", boot_},
                       {"until_steady_ms", inhibition->until.time_since_epoch().count()}};
  return replace_file(file_, told.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace watchroom::agent
