// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/notify/email/email.hpp"

#include <gtest/gtest.h>

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
