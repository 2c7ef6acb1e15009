// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aggregator/notify/channel.hpp"
#include "aggregator/notify/wording.hpp"
#include "proto/base/settings.hpp"

namespace watchroom::aggregator {

/// The [email] table. The server's certificate is always checked when TLS is used.
struct EmailSettings {
  std::string server;  ///< smtp://host:port (STARTTLS) or smtps://host:port
  bool starttls = true;
  std::optional<std::filesystem::path> ca_file;
  std::string user;
  std::string password;
  std::string from;
  std::vector<std::string> to;
  Language language = Language::zh;
  std::chrono::milliseconds retry_min{10'000};
  std::chrono::milliseconds retry_max{300'000};
  std::chrono::milliseconds timeout{30'000};

  static EmailSettings read(const SettingsTable& table);
};

/// RFC 5322 message with UTF-8 subject (RFC 2047) and base64 body; header injection is impossible by
/// construction.
std::string mail_text(const EmailSettings& settings, const Notice& notice);

/// E-mail through libcurl, one connection kept between mails.
std::unique_ptr<Channel> make_email(EmailSettings settings);

}  // namespace watchroom::aggregator
