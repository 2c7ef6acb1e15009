// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/authority/enrolment_settings.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace watchroom::aggregator {
namespace {

bool is_address(const std::string& text) {
  unsigned char parsed[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, text.c_str(), parsed) == 1 || ::inet_pton(AF_INET6, text.c_str(), parsed) == 1;
}

bool split_listen(const std::string& text, EnrolmentSettings& settings) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return false;
  std::string address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  else if (address.find(':') != std::string::npos)
    return false;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, settings.listen_port);
  settings.listen_address = address;
  return error == std::errc{} && rest == end && is_address(address);
}

/// RFC 1123 section 2.1.
bool is_host_name(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 253 && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

EnrolmentSettings EnrolmentSettings::read(const SettingsTable& table) {
  using namespace std::chrono_literals;
  EnrolmentSettings read;
  const std::string listen =
      table.text("listen", {.help = "where agents enrol and renew (EST, RFC 7030); 0.0.0.0 for every address",
                            .fallback = "127.0.0.1:8444"});
  if (!split_listen(listen, read))
    table.reject("listen", "an IP address and a port, e.g. \"127.0.0.1:8444\"");
  read.names = table.texts("names", "host names and addresses by which agents reach this machine",
                           {"localhost", "127.0.0.1"});
  if (read.names.empty()) table.complain("names", "at least one name or address is needed");
  for (const std::string& name : read.names)
    if (!is_address(name) && !is_host_name(name))
      table.complain("names", fmt::format("\"{}\" is neither a host name nor an address", name));
  read.certificate_life = table.duration(
      "certificate_life_min",
      {.help = "how long an agent's certificate is good; agents renew at two thirds. 525600: a year",
       .fallback = 525'600min,
       .least = 1min,
       .most = 24h * 3650});
  read.late_renewal = table.duration(
      "late_renewal_days",
      {.help = "an agent whose certificate ran out may still renew it for so long, unless it was revoked",
       .fallback = 24h * 90,
       .least = 0h,
       .most = 24h * 3650});
  read.broker_folder = table.file(
      "broker_folder", {.help = "where ca.pem, crl.pem and acl are written for mosquitto's cafile, "
                                "crlfile and acl_file; made when missing",
                        .fallback = "/var/lib/watchroom/broker",
                        .must_exist = false});
  read.broker_pid_file = table.optional_file(
      "broker_pid_file",
      {.help = "mosquitto's pid_file: it gets SIGHUP when those files change (same user, or root)",
       .must_exist = false});
  read.more_acl_file = table.optional_file(
      "more_acl_file", {.help = "rules of your own (mosquitto.conf(5), acl_file), added to what is written"});
  const auto certificate =
      table.optional_file("broker_certificate_file",
                          {.help = "the broker's own certificate (its certfile), as issue-server makes it: "
                                   "renewed there, and the broker told by SIGHUP",
                           .must_exist = false});
  const auto key =
      table.optional_file("broker_key_file", {.help = "its key (its keyfile)", .must_exist = false});
  if (certificate.has_value() != key.has_value())
    table.complain(certificate ? "broker_key_file" : "broker_certificate_file",
                   "is missing: certificate and key are renewed together");
  if (certificate && key) read.broker_identity = KeyPairFiles{*certificate, *key};
  table.finish();
  return read;
}

std::vector<std::string> EnrolmentSettings::hints() const {
  std::vector<std::string> found;
  const auto is_local = [](const std::string& name) {
    return name == "localhost" || name == "::1" || name.starts_with("127.");
  };
  if (!broker_pid_file)
    found.emplace_back(
        "[enrolment] broker_pid_file 未设置：证书吊销或权限变化后，须由其他程序（如 systemd 路径单元）向 "
        "mosquitto "
        "发送 SIGHUP，否则不生效 / broker_pid_file is not set: somebody else (a systemd path unit) must send "
        "mosquitto SIGHUP when acl or crl.pem change, or a revoked certificate goes on being let in");
  if (is_local(listen_address))
    found.emplace_back(
        "[enrolment] listen 只监听本机：其他机器上的采集代理无法注册 / listen is on this machine only: no "
        "agent "
        "elsewhere can enrol or renew");
  if (std::all_of(names.begin(), names.end(), is_local))
    found.emplace_back(
        "[enrolment] names 只有本机名称：注册令牌所带地址在其他机器上无用 / names are local only: the "
        "address that "
        "goes with a token is of no use elsewhere");
  return found;
}

}  // namespace watchroom::aggregator
