// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <iostream>
#include <memory>

#include <qrencode.h>

#include "aggregator/cli/client.hpp"
#include "aggregator/cli/room_commands.hpp"
#include "aggregator/cli/table.hpp"
#include "aggregator/cli/user_commands.hpp"
#include "aggregator/identity/totp.hpp"
#include "aggregator/identity/users_file.hpp"

namespace watchroom::cli {
namespace {

using aggregator::UserEntry;
using aggregator::UsersFile;

/// For a terminal with light letters on dark: two rows of the code in one line of text, and the quiet zone
/// that ISO/IEC 18004 asks for.
std::string qr_code(const std::string& text) {
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code{
      QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M), &QRcode_free};
  if (!code) return "";
  constexpr int quiet = 4;
  const int width = code->width;
  const auto is_light = [&](int row, int column) {
    if (row < 0 || column < 0 || row >= width || column >= width) return true;
    return (code->data[row * width + column] & 1) == 0;
  };
  std::string out;
  for (int row = -quiet; row < width + quiet; row += 2) {
    for (int column = -quiet; column < width + quiet; ++column) {
      const bool upper = is_light(row, column), lower = is_light(row + 1, column);
      out += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
    }
    out += '\n';
  }
  return out;
}

Result<void> keep(const Console& console, const std::string& users_file, const std::string& name,
                  const std::string& secret) {
  return aggregator::edit_users_file(users_file, [&](UsersFile& content) -> Result<void> {
    for (UserEntry& user : content.users)
      if (user.name == name) {
        user.totp = secret;
        return {};
      }
    return fail(Errc::not_found, Retry::never, "{}: {}", console.say("没有这个用户", "there is no such user"),
                name);
  });
}

int finished(const Console& console, const Result<void>& done, const std::string& name,
             std::string_view chinese, std::string_view english) {
  if (!done) return give_up(console, done.error());
  if (console.is_json)
    print_json(Json{{"name", name}});
  else
    print(printable(fmt::format("{}: {}", console.say(chinese, english), name)) + "\n");
  return exit_ok;
}

}  // namespace

int begin_totp(const Console& console, const std::string& users_file, const std::string& name) {
  Problems problems;
  const UsersFile content = UsersFile::load(users_file, problems);
  if (!problems.empty()) return give_up(console, fail(Errc::corrupt, Retry::never, "{}", problems.str()));
  if (!content.find(name))
    return give_up(console, fail(Errc::not_found, Retry::never, "{}: {}",
                                 console.say("没有这个用户", "there is no such user"), name));
  const std::string secret = aggregator::new_totp_secret(), uri = aggregator::totp_uri(name, secret);
  if (console.is_json)
    print_json(Json{{"secret", secret}, {"uri", uri}});
  else
    print(fmt::format("{}\n{}\n{}\n", qr_code(uri),
                      console.say("用身份验证器扫描，或手工输入密钥：",
                                  "scan it with an authenticator, or type the secret in:"),
                      uri));
  std::fflush(stdout);
  constexpr int tries = 3;
  std::string code;
  for (int i = 0; i < tries; ++i) {
    std::cerr << console.say("验证器显示的六位验证码: ", "the six digits it shows: ") << std::flush;
    if (!std::getline(std::cin, code)) break;
    if (aggregator::step_of_code(secret, code, SystemClock{}.now()))
      return finished(console, keep(console, users_file, name, secret), name, "登录从此需要验证码",
                      "log-ins need a one-time code from now on");
  }
  return give_up(console,
                 fail(Errc::refused, Retry::never, "{}",
                      console.say("验证码不对，什么也没有改变；请检查两边的时钟",
                                  "the code is not right and nothing was changed; look at both clocks")));
}

int end_totp(const Console& console, const std::string& users_file, const std::string& name) {
  return finished(console, keep(console, users_file, name, ""), name, "登录不再需要验证码",
                  "log-ins need no one-time code any more");
}

}  // namespace watchroom::cli
