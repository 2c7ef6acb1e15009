// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/link/start_check.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/command_line.hpp"
#include "proto/link/identity.hpp"
#include "proto/link/x509.hpp"

namespace watchroom {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t warned_ahead_s = 30 * day_s;

using Bio = std::unique_ptr<BIO, x509::Release<BIO_free_all>>;
using Store = std::unique_ptr<X509_STORE, x509::Release<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, x509::Release<X509_STORE_CTX_free>>;

/// As the one who will open it: the effective user.
bool may(const std::filesystem::path& path, int what) {
  return ::faccessat(AT_FDCWD, path.c_str(), what, AT_EACCESS) == 0;
}

std::vector<x509::Certificate> certificates_in(const std::filesystem::path& file) {
  std::vector<x509::Certificate> all;
  const Bio bio{BIO_new_file(file.c_str(), "r")};
  while (bio) {
    x509::Certificate one{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    if (!one) break;
    all.push_back(std::move(one));
  }
  ERR_clear_error();
  return all;
}

/// A program that starts by itself has nobody to ask for a password.
int no_password(char*, int, int, void*) { return 0; }

x509::Key key_in(const std::filesystem::path& file) {
  const Bio bio{BIO_new_file(file.c_str(), "r")};
  x509::Key key{bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr) : nullptr};
  ERR_clear_error();
  return key;
}

/// Why the chain does not lead to one of the authorities; empty: it does. Times are told apart from that.
std::string why_not_signed(const std::vector<x509::Certificate>& chain, const std::filesystem::path& ca) {
  const Store store{X509_STORE_new()};
  const StoreContext context{X509_STORE_CTX_new()};
  STACK_OF(X509)* between = sk_X509_new_null();
  for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(between, chain[i].get());
  std::string why = "-";
  if (X509_STORE_load_file(store.get(), ca.c_str()) == 1 &&
      X509_STORE_CTX_init(context.get(), store.get(), chain.front().get(), between) == 1) {
    X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN);
    const bool is_signed = X509_verify_cert(context.get()) == 1;
    why = is_signed ? "" : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  }
  sk_X509_free(between);
  ERR_clear_error();
  return why;
}

/// Nothing is told of a file that is fine.
bool is_readable(const std::string& field, const std::filesystem::path& file, bool is_needed,
                 StartFindings& findings) {
  std::error_code ignored;
  const auto kind = std::filesystem::status(file, ignored).type();
  if (kind == std::filesystem::file_type::regular && may(file, R_OK)) return true;
  const bool is_there = kind != std::filesystem::file_type::not_found;
  findings.push_back(
      {is_needed, field,
       fmt::format("\"{0}\" {1}，应为可读的 PEM 文件 / \"{0}\" {2}, expected a PEM file that can be read",
                   file.string(), is_there ? "无法读取" : "不存在",
                   is_there ? "cannot be read" : "does not exist")});
  return false;
}

void check_end(const std::string& field, const std::filesystem::path& file, CertificateFile kind,
               std::int64_t now, bool renews_itself, StartFindings& findings) {
  const auto validity = read_validity(file, kind, now);
  if (!validity) return;
  const std::int64_t left = validity->until - now;
  const std::string until = to_rfc3339(from_ms(validity->until * 1000));
  if (left < 0)
    findings.push_back(
        {false, field,
         fmt::format("\"{0}\" 已于 {1} 过期，应换新 / \"{0}\" has run out on {1}, expected a new one",
                     file.string(), until)});
  else if (left < warned_ahead_s && !(renews_itself && left * 3 > validity->until - validity->since))
    findings.push_back({false, field,
                        fmt::format("\"{0}\" 将于 {1} 过期（不足 {2} 天），应尽快换新 / \"{0}\" runs out on "
                                    "{1}, in less than {2} days; expected more than 30",
                                    file.string(), until, (left + day_s - 1) / day_s)});
  if (validity->since > now)
    findings.push_back(
        {false, field,
         fmt::format("\"{0}\" 到 {1} 才生效，请核对本机时钟 / \"{0}\" is not valid before {1}; "
                     "is this machine's clock right?",
                     file.string(), to_rfc3339(from_ms(validity->since * 1000)))});
}

void check_key_mode(const CheckedPair& pair, StartFindings& findings) {
  struct stat status {};
  if (::stat(pair.key.c_str(), &status) != 0 || (status.st_mode & (S_IRWXO | S_IWGRP)) == 0) return;
  findings.push_back({false, pair.key_field,
                      fmt::format("私钥 \"{0}\" 的权限为 {1:04o}，应为 0600（或属组只读 0640） / the private "
                                  "key \"{0}\" has mode {1:04o}, expected 0600, or 0640 for its group",
                                  pair.key.string(), status.st_mode & 07777u)});
}

}  // namespace

void check_broker(const BrokerSettings& broker, bool renews_itself, Timestamp now, StartFindings& findings) {
  check_pair({.certificate_field = "broker.certificate_file",
              .key_field = "broker.key_file",
              .certificate = broker.certificate_file,
              .key = broker.key_file,
              .ca_field = "broker.ca_file",
              .ca = broker.ca_file,
              .renews_itself = renews_itself},
             now, findings);
}

void check_pair(const CheckedPair& pair, Timestamp now, StartFindings& findings) {
  const bool has_certificate =
      is_readable(pair.certificate_field, pair.certificate, pair.is_needed, findings);
  const bool has_key = is_readable(pair.key_field, pair.key, pair.is_needed, findings);
  const auto chain = certificates_in(pair.certificate);
  const auto key = key_in(pair.key);
  if (has_certificate && chain.empty())
    findings.push_back(
        {pair.is_needed, pair.certificate_field,
         fmt::format("\"{0}\" 中没有证书，应为 PEM / \"{0}\" holds no certificate, expected PEM",
                     pair.certificate.string())});
  if (has_key && !key)
    findings.push_back({pair.is_needed, pair.key_field,
                        fmt::format("\"{0}\" 中没有私钥，应为无口令的 PEM / \"{0}\" holds no private key, "
                                    "expected PEM without a password",
                                    pair.key.string())});
  if (!chain.empty() && key && X509_check_private_key(chain.front().get(), key.get()) != 1) {
    findings.push_back(
        {pair.is_needed, pair.key_field,
         fmt::format(
             "私钥 \"{0}\" 与证书 \"{1}\" 不匹配，应为同一对 / the key \"{0}\" does not belong to the "
             "certificate \"{1}\", expected those of one pair",
             pair.key.string(), pair.certificate.string())});
    ERR_clear_error();
  }
  if (has_key) check_key_mode(pair, findings);
  const std::int64_t now_s = to_ms(now) / 1000;
  check_end(pair.certificate_field, pair.certificate, CertificateFile::chain, now_s, pair.renews_itself,
            findings);
  if (pair.ca) check_end(pair.ca_field, *pair.ca, CertificateFile::bundle, now_s, false, findings);
  if (!pair.ca || chain.empty() || certificates_in(*pair.ca).empty()) return;
  if (const std::string why = why_not_signed(chain, *pair.ca); !why.empty())
    findings.push_back(
        {false, pair.certificate_field,
         fmt::format("证书 \"{0}\" 不是 \"{1}\" 中的 CA 签发的，消息服务器多半会拒绝 / \"{0}\" "
                     "was not signed by the authority in \"{1}\" ({2}); the broker will "
                     "most likely refuse it",
                     pair.certificate.string(), pair.ca->string(), why)});
}

void check_folder(const std::string& field, const std::filesystem::path& folder, bool is_needed,
                  StartFindings& findings) {
  std::error_code ignored;
  std::filesystem::path nearest = std::filesystem::absolute(folder, ignored).lexically_normal();
  while (!std::filesystem::exists(std::filesystem::symlink_status(nearest, ignored)) &&
         nearest != nearest.parent_path())
    nearest = nearest.parent_path();
  if (!std::filesystem::is_directory(nearest, ignored)) {
    findings.push_back({is_needed, field,
                        fmt::format("\"{0}\"：\"{1}\" 不是文件夹，应为可写的文件夹 / \"{0}\": \"{1}\" is no "
                                    "folder, expected one that can be written to",
                                    folder.string(), nearest.string())});
    return;
  }
  if (!may(nearest, W_OK | X_OK)) {
    findings.push_back(
        {is_needed, field,
         fmt::format("\"{0}\"：当前用户无法写入 \"{1}\"（{2}），应为可写的文件夹 / \"{0}\": this "
                     "user cannot write to \"{1}\" ({2}), expected a folder that can be "
                     "written to",
                     folder.string(), nearest.string(), std::strerror(errno))});
    return;
  }
  // Left by a start as another user.
  for (std::filesystem::directory_iterator all{folder, ignored}, end; !ignored && all != end;
       all.increment(ignored)) {
    std::error_code unknown;
    const auto extension = all->path().extension();
    if ((extension == ".sqlite" || extension == ".db") && all->is_regular_file(unknown) &&
        !may(all->path(), R_OK | W_OK))
      findings.push_back({is_needed, field,
                          fmt::format("当前用户无法写入 \"{0}\"，应属于运行本程序的用户 / this user cannot "
                                      "write to \"{0}\", expected it to be the running user's",
                                      all->path().string())});
  }
}

int report_check(const std::filesystem::path& settings_file, const std::string& summary,
                 const nlohmann::ordered_json& facts, const StartFindings& findings,
                 const std::vector<Problem>& warnings, bool is_json) {
  const bool will_start = std::ranges::none_of(findings, [](const auto& one) { return one.is_fatal; });
  const std::string file = settings_file.string();
  auto listed = nlohmann::ordered_json::array();
  std::string told;
  for (const StartFinding& one : findings) {
    listed.push_back({{"is_fatal", one.is_fatal}, {"field", one.field}, {"text", one.text}});
    told += fmt::format("{}: {}: {}: {}\n", file, one.is_fatal ? "无法启动 / will not start" : "提示 / hint",
                        one.field, one.text);
  }
  for (const Problem& one : warnings) {
    // What was looked into more closely here is not told twice.
    if (std::ranges::any_of(findings, [&](const auto& found) { return found.field == one.field; })) continue;
    listed.push_back({{"is_fatal", false}, {"field", one.field}, {"text", one.text}});
    told += fmt::format("提示 / hint: {}\n", one.str());
  }
  if (is_json) {
    nlohmann::ordered_json all{{"file", file}, {"is_valid", true}, {"will_start", will_start}};
    all.update(facts);
    all["findings"] = std::move(listed);
    command_line::print_json(all);
  } else {
    fmt::print("{}: {}\n", file, summary);
  }
  std::fflush(stdout);
  fmt::print(stderr, "{}", told);
  return will_start ? command_line::done : command_line::failed;
}

}  // namespace watchroom
