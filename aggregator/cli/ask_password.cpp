// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/cli/ask_password.hpp"

#include <iostream>

#include <termios.h>
#include <unistd.h>

namespace watchroom::cli {
namespace {

/// Typed characters are not shown while this lives.
class WithoutEcho {
 public:
  WithoutEcho() {
    is_changed_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (is_changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  WithoutEcho(const WithoutEcho&) = delete;
  WithoutEcho& operator=(const WithoutEcho&) = delete;
  ~WithoutEcho() {
    if (is_changed_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }

 private:
  termios before_{};
  bool is_changed_ = false;
};

}  // namespace

Result<std::string> ask_password(const Console& console, const std::string& name) {
  if (::isatty(STDIN_FILENO) == 0)
    return fail(Errc::invalid, Retry::never, "{}",
                console.say("没有终端可输入密码，请用 --password-file 或 --generate",
                            "there is no terminal to type a password on, use --password-file or --generate"));
  const WithoutEcho hidden;
  std::string first, second;
  std::cerr << console.say("新密码，用户 ", "new password for ") << name << ": " << std::flush;
  std::getline(std::cin, first);
  std::cerr << '\n' << console.say("再输一次: ", "again: ") << std::flush;
  std::getline(std::cin, second);
  std::cerr << '\n';
  if (first != second)
    return fail(Errc::invalid, Retry::now, "{}", console.say("两次输入不一致", "the two differ"));
  return first;
}

}  // namespace watchroom::cli
