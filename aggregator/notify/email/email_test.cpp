// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/notify/email/email.hpp"

#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace watchroom::aggregator {
namespace {

TEST(Email, KeepsEveryHeaderOnItsLine) {
  EmailSettings settings;
  settings.from = "watch@example.com";
  const std::string text =
      mail_text(settings, {"<a@b>", "li@example.com", "[紧急] 漏水\r\nBcc: x@y", "正文\n", {}});
  EXPECT_EQ(text.find("Bcc"), std::string::npos);
  EXPECT_NE(text.find("Message-ID: <a@b>\r\n"), std::string::npos);
  EXPECT_NE(text.find("Date: Thu, 01 Jan 1970"), std::string::npos);
}

TEST(Email, ALongSubjectIsFoldedBetweenCharacters) {
  std::string subject;
  for (int i = 0; i < 60; ++i) subject += "漏";
  const std::string text = mail_text({}, {"<a@b>", "li@example.com", subject, "", {}});
  std::size_t begin = 0;
  for (std::size_t end = text.find("\r\n"); end != std::string::npos;
       begin = end + 2, end = text.find("\r\n", begin))
    EXPECT_LE(end - begin, 78u) << text.substr(begin, end - begin);
}

/// A mail server for one connection that refuses one command for good; "" is the greeting.
class RefusingServer {
 public:
  explicit RefusingServer(std::string refused)
      : refused_{std::move(refused)}, socket_{::socket(AF_INET, SOCK_STREAM, 0)} {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(socket_, as_any(), size), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    EXPECT_EQ(::getsockname(socket_, as_any(), &size), 0);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~RefusingServer() {
    thread_.join();
    ::close(socket_);
  }
  std::string url() const { return fmt::format("smtp://127.0.0.1:{}", ntohs(address_.sin_port)); }

 private:
  sockaddr* as_any() { return reinterpret_cast<sockaddr*>(&address_); }
  void serve() {
    const int peer = ::accept(socket_, nullptr, nullptr);
    const auto say = [&](std::string_view reply) {
      (void)::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL);
    };
    say(refused_.empty() ? "554 not today\r\n" : "220 hello\r\n");
    char bytes[1024];
    for (ssize_t size = 0; (size = ::recv(peer, bytes, sizeof bytes, 0)) > 0;) {
      const std::string verb{bytes, std::min<std::size_t>(4, static_cast<std::size_t>(size))};
      if (verb == "QUIT") break;
      say(verb == refused_ ? "550 no\r\n" : verb == "DATA" ? "354 go on\r\n" : "250 fine\r\n");
    }
    ::close(peer);
  }

  const std::string refused_;
  const int socket_;
  sockaddr_in address_{};
  std::thread thread_;
};

TEST(Email, OnlyARefusalOfThisMailIsFinal) {
  struct Case {
    const char* refused;
    Retry retry;
  };
  for (const Case& each : {Case{"", Retry::later}, Case{"MAIL", Retry::later}, Case{"RCPT", Retry::never},
                           Case{"DATA", Retry::never}}) {
    RefusingServer server{each.refused};
    EmailSettings settings;
    settings.server = server.url();
    settings.starttls = false;
    settings.from = "watch@example.com";
    const auto sent = make_email(settings)->deliver({"<a@b>", "li@example.com", "漏水", "正文\n", {}});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().retry, each.retry) << each.refused << ": " << sent.error().text;
  }
}

TEST(Email, SettingsRefuseAPasswordInClearText) {
  Problems problems;
  const auto table = SettingsTable::parse(
      "server = \"smtp://mail\"\nstarttls = \"never\"\nuser = \"u\"\nfrom = \"nobody\"\nto = [\"x\"]\n",
      "a.toml", problems);
  (void)EmailSettings::read(*table);
  const std::string text = problems.str();
  for (const auto* part :
       {"password_file: is missing", "starttls: \"never\" is not valid", "from: \"nobody\"", "to: "})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

}  // namespace
}  // namespace watchroom::aggregator
