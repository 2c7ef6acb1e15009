// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/enrolment/enrol_command.hpp"

#include <nlohmann/json.hpp>

#include "agent/clock/clock_watch.hpp"
#include "agent/enrolment/device_key.hpp"
#include "agent/enrolment/est_client.hpp"
#include "agent/enrolment/identity_files.hpp"
#include "proto/base/command_line.hpp"
#include "proto/base/replace_file.hpp"
#include "proto/link/enrolment_token.hpp"

namespace watchroom::agent {
namespace {

constexpr std::string_view program = "watchroom-agent";
constexpr unsigned for_all_to_read = 0644;

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
  const auto give_up = [&](const Error& error, bool is_wrong_input) {
    command_line::give_up(program, error, options.json);
    return is_wrong_input ? command_line::wrong_input : command_line::failed;
  };
  const auto refuse = [&](std::string text) {
    return give_up(Error{Errc::invalid, Retry::never, std::move(text)}, true);
  };
  const auto address = EstAddress::parse(options.url);
  if (!address)
    return refuse(fmt::format("\"{0}\"：应为 https://主机:端口 / expected https://HOST:PORT", options.url));
  const auto text = read_secret(options.token_file);
  if (!text) return give_up(in(text.error(), "令牌文件 / the token's file"), true);
  const auto token = EnrolmentToken::parse(*text);
  if (!token)
    return refuse(
        fmt::format("{}: 应为 `watchroom enrol` 给出的登记令牌（\"wre1.\" 加 86 个字符） / expected an "
                    "enrolment token, \"wre1.\" and 86 characters, from `watchroom enrol`",
                    options.token_file.string()));
  Problems problems;
  const auto files = IdentityFiles::read(options.settings_file, problems);
  if (!files) return command_line::give_up(problems, options.json);
  if (const auto finished = finish_replacement(files->pair()); !finished)
    return give_up(finished.error(), false);
  const auto present = load_key_pair(files->pair());
  const ClockFacts facts = ClockFacts::of_this_machine();
  const auto time = [&facts] { return facts.certificate_time(SystemClock{}.now()); };
  if (present && present->until > time().now && !options.may_replace)
    return give_up(
        fail(Errc::conflict, Retry::never,
             "{}: 已有有效证书（至 {}），用 --replace 覆盖 / there is a valid certificate (until {}{}); "
             "--replace writes over it",
             files->certificate.string(), to_rfc3339(present->until), to_rfc3339(present->until),
             time().is_sure ? "" : ", and this machine's clock is not synchronised"),
        false);
  const auto done = enrol(EstClient{*address, time}, *token, *files);
  if (!done) return give_up(done.error(), false);
  if (options.json)
    command_line::print_json({{"site", files->site},
                              {"agent", files->agent},
                              {"certificate_file", files->certificate.string()},
                              {"key_file", files->key.string()},
                              {"ca_file", files->ca.string()},
                              {"valid_until", to_rfc3339(done->until)}});
  else
    fmt::print("{}/{}: 已登记，证书有效至 / enrolled, valid until {}\n", files->site, files->agent,
               to_rfc3339(done->until));
  return command_line::done;
}

}  // namespace watchroom::agent
