// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/broker_files.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>

#include "proto/base/replace_file.hpp"

namespace watchroom::aggregator {
namespace {

constexpr std::array node_messages{"NBIRTH", "NDATA", "NDEATH"};
constexpr std::array device_messages{"DBIRTH", "DDATA", "DDEATH"};

std::optional<std::string> text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  if (!in) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

}  // namespace

std::string access_rules(const std::string& host_id, const std::vector<AgentIdentity>& admitted,
                         std::string_view more) {
  std::string text = "# Written by watchroom-aggregator; put rules of your own into more_acl_file.\n";
  text += fmt::format(
      "\nuser {0}\ntopic read spBv1.0/#\ntopic write spBv1.0/+/NCMD/+\ntopic write spBv1.0/+/DCMD/+/+\n"
      "topic write spBv1.0/STATE/{0}\n",
      host_id);
  for (const AgentIdentity& one : admitted) {
    text += fmt::format("\nuser {}\n", one.common_name);
    for (const char* kind : node_messages)
      text += fmt::format("topic write spBv1.0/{}/{}/{}\n", one.site, kind, one.agent);
    for (const char* kind : device_messages)
      text += fmt::format("topic write spBv1.0/{}/{}/{}/+\n", one.site, kind, one.agent);
    text += fmt::format("topic read spBv1.0/{0}/NCMD/{1}\ntopic read spBv1.0/{0}/DCMD/{1}/+\n", one.site,
                        one.agent);
    text += "topic read spBv1.0/STATE/+\n";
  }
  if (!more.empty()) text += fmt::format("\n{}", more);
  return text;
}

Result<bool> BrokerFiles::write(const std::string& name, std::string_view text, unsigned mode) const {
  const std::filesystem::path file = folder_ / name;
  if (text_of(file) == text) return false;
  std::error_code error;
  if (std::filesystem::create_directories(folder_, error); error)
    return fail(Errc::io, Retry::later, "{}: {}", folder_.string(), error.message());
  // The broker may run as another user: of the folder's group.
  if (auto written = replace_file(file, text, mode); !written) return written.error();
  return true;
}

Result<bool> BrokerFiles::write_authority(std::string_view pem) const { return write("ca.pem", pem, 0644); }
// mosquitto from 2.0.16 on warns of rules that everybody may read.
Result<bool> BrokerFiles::write_rules(std::string_view text) const { return write("acl", text, 0640); }
Result<bool> BrokerFiles::write_revocation_list(std::string_view pem) const {
  return write("crl.pem", pem, 0644);
}
std::optional<std::string> BrokerFiles::revocation_list() const { return text_of(folder_ / "crl.pem"); }

Result<void> BrokerFiles::reload() const {
  if (!pid_file_) return {};
  const std::string text = text_of(*pid_file_).value_or("");
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  const auto nobody = [this](const std::string& why) {
    return fail(Errc::not_found, Retry::later,
                "no mosquitto was told to read its files anew: broker_pid_file {} {}", pid_file_->string(),
                why);
  };
  if (pid <= 1) return nobody("is missing or holds no process number");
  // A pid that was given to somebody else must not be hung up on.
  const auto program = text_of(fmt::format("/proc/{}/comm", pid)).value_or("");
  if (!program.starts_with("mosquitto"))
    return nobody(fmt::format("names process {}, which is {}", pid,
                              program.empty() ? "not there" : program.substr(0, program.find('\n'))));
  if (::kill(pid, SIGHUP) != 0)
    return fail(Errc::io, Retry::later, "the broker (pid {}) cannot be told to read its files anew: {}", pid,
                std::strerror(errno));
  return {};
}

}  // namespace watchroom::aggregator
