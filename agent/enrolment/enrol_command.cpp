// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/enrol_command.hpp"

#include <iostream>

#include "agent/clock/clock_watch.hpp"
#include "agent/enrolment/device_key.hpp"
#include "agent/enrolment/est_client.hpp"
#include "agent/enrolment/identity_files.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/link/enrolment_token.hpp"

namespace watchroom::agent {
namespace {

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_wrong_input = 2;
constexpr unsigned for_all_to_read = 0644;

int complain(int code, const std::string& text) {
  std::cerr << "watchroom-agent: " << text << '\n';
  return code;
}

/// The authority that the token tells of, among those that whoever answers names.
Result<std::string> find_authority(const EstClient& centre, const EnrolmentToken& token) {
  const auto offered = centre.authorities_of_a_stranger();
  if (!offered) return offered.error();
  for (const auto& one : *offered)
    if (x509::sha256_of(x509::der_of(*one)) == token.ca_sha256) return x509::pem_of(*one);
  return fail(
      Errc::not_authorized, Retry::never,
      "应答方不是令牌所指的监控中心，未发送任何秘密 / whoever answers there is not the centre that made the "
      "token (another CA); nothing secret was sent");
}

Result<void> make_folders(const IdentityFiles& files) {
  for (const auto& file : {files.ca, files.certificate, files.key}) {
    std::error_code error;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
    if (error) return fail(Errc::io, Retry::never, "{}: {}", file.parent_path().string(), error.message());
  }
  return {};
}

Result<KeyPair> enrol(const EstClient& centre, const EnrolmentToken& token, const IdentityFiles& files) {
  // Before the token is spent: what can fail here should fail here.
  if (auto made = make_folders(files); !made) return made.error();
  const auto ca_pem = find_authority(centre, token);
  if (!ca_pem) return ca_pem.error();
  if (auto written = replace_file(files.ca, *ca_pem, for_all_to_read); !written) return written.error();
  const auto key = make_device_key(agent_common_name(files.site, files.agent));
  if (!key) return key.error();
  const auto certificate = centre.enrol(*ca_pem, token.str(), key->request_der);
  if (!certificate) return certificate.error();
  if (auto written = replace_key_pair(files.pair(), *certificate, key->key_pem); !written)
    return written.error();
  auto identity = load_key_pair(files.pair());
  if (!identity) return fail(Errc::io, Retry::never, "the files that were written cannot be read");
  return *std::move(identity);
}

}  // namespace

int enrol_command(const EnrolOptions& options) {
  const auto address = EstAddress::parse(options.url);
  if (!address)
    return complain(exit_wrong_input, fmt::format("\"{}\": expected https://HOST:PORT", options.url));
  const auto text = read_secret(options.token_file);
  if (!text) return complain(exit_wrong_input, text.error().text);
  const auto token = EnrolmentToken::parse(*text);
  if (!token)
    return complain(
        exit_wrong_input,
        fmt::format("{}: expected an enrolment token, \"wre1.\" and 86 characters, from `watchroom enrol`",
                    options.token_file.string()));
  Problems problems;
  const auto files = IdentityFiles::read(options.settings_file, problems);
  if (!files) return complain(exit_wrong_input, problems.str());
  if (const auto finished = finish_replacement(files->pair()); !finished)
    return complain(exit_failed, finished.error().text);
  const auto present = load_key_pair(files->pair());
  const ClockFacts facts = ClockFacts::of_this_machine();
  const auto time = [&facts] { return facts.certificate_time(SystemClock{}.now()); };
  if (present && present->until > time().now && !options.may_replace)
    return complain(
        exit_failed,
        fmt::format(
            "{}: 已有有效证书（至 {}），用 --replace 覆盖 / there is a valid certificate (until {}{}); "
            "--replace writes over it",
            files->certificate.string(), to_rfc3339(present->until), to_rfc3339(present->until),
            time().is_sure ? "" : ", and this machine's clock is not synchronised"));
  const auto done = enrol(EstClient{*address, time}, *token, *files);
  if (!done) return complain(exit_failed, done.error().text);
  std::cout << fmt::format("{}/{}: 已登记，证书有效至 / enrolled, valid until {}\n", files->site,
                           files->agent, to_rfc3339(done->until));
  return exit_ok;
}

}  // namespace watchroom::agent
