// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "aggregator/notify/email/email.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

#include <curl/curl.h>

namespace watchroom::aggregator {
namespace {

using namespace std::chrono_literals;

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) out += j <= count ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

/// RFC 2047 encoded words of at most 75 characters, never cutting a UTF-8 character.
std::string encoded_words(std::string_view text) {
  constexpr std::size_t most_bytes = 39;
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(most_bytes, text.size());
    while (size < text.size() && size > 1 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    if (!out.empty()) out += "\r\n ";
    out += "=?UTF-8?B?" + base64(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

std::string rfc5322_date(Timestamp at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char zone[8];
  std::strftime(zone, sizeof zone, "%z", &parts);
  // Not strftime's %a and %b: those follow the locale.
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} {}", days[static_cast<std::size_t>(parts.tm_wday)],
                     parts.tm_mday, months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec, zone);
}

bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7f && std::strchr("<>()[],;:\\\"", c) == nullptr;
         });
}

struct Upload {
  std::string_view rest;
};

std::size_t read_upload(char* buffer, std::size_t size, std::size_t count, void* self) {
  auto& upload = *static_cast<Upload*>(self);
  const std::size_t taken = std::min(size * count, upload.rest.size());
  std::memcpy(buffer, upload.rest.data(), taken);
  upload.rest.remove_prefix(taken);
  return taken;
}

/// The verb of the command that was answered last. libcurl tells the reply's number but not what it was to;
/// its QUIT afterwards is of no interest.
int note_command(CURL*, curl_infotype type, char* bytes, std::size_t size, void* self) {
  if (type != CURLINFO_HEADER_OUT) return 0;
  const std::string_view verb{bytes, std::min(size, std::size_t{4})};
  if (verb != "QUIT") *static_cast<std::string*>(self) = verb;
  return 0;
}

class Email final : public Channel {
 public:
  explicit Email(EmailSettings settings) : settings_{std::move(settings)}, curl_{curl_easy_init()} {}

  Result<void> deliver(const Notice& notice) override {
    if (!curl_) return fail(Errc::io, Retry::later, "libcurl cannot start");
    const std::string text = mail_text(settings_, notice);
    Upload upload{text};
    char reason[CURL_ERROR_SIZE] = "";
    CURL* curl = curl_.get();
    curl_easy_reset(curl);  // keeps the connection
    curl_easy_setopt(curl, CURLOPT_URL, settings_.server.c_str());
    curl_easy_setopt(curl, CURLOPT_USE_SSL, settings_.starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (settings_.ca_file) curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file->c_str());
    if (!settings_.user.empty()) {
      curl_easy_setopt(curl, CURLOPT_USERNAME, settings_.user.c_str());
      curl_easy_setopt(curl, CURLOPT_PASSWORD, settings_.password.c_str());
    }
    const std::string from = fmt::format("<{}>", settings_.from);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> to{
        curl_slist_append(nullptr, fmt::format("<{}>", notice.recipient).c_str()), curl_slist_free_all};
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.get());
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_upload);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(settings_.timeout.count()));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.timeout.count() / 2));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    std::string command;
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, note_command);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &command);
    const CURLcode code = curl_easy_perform(curl);
    return judge(code, reason, command);
  }

 private:
  Result<void> judge(CURLcode code, const char* reason, std::string_view command) {
    if (code == CURLE_OK) return {};
    long reply = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &reply);
    const std::string text = reason[0] ? reason : curl_easy_strerror(code);
    switch (code) {
      case CURLE_LOGIN_DENIED:
        return fail(Errc::not_authorized, Retry::later, "{}: log-in refused: {}", settings_.server, text);
      case CURLE_USE_SSL_FAILED:
        return fail(Errc::not_authorized, Retry::later, "{}: the server offers no STARTTLS",
                    settings_.server);
      case CURLE_PEER_FAILED_VERIFICATION:
        return fail(Errc::not_authorized, Retry::later, "{}: its certificate is not trusted: {}",
                    settings_.server, text);
      case CURLE_OPERATION_TIMEDOUT:
        return fail(Errc::no_answer, Retry::later, "{}: {}", settings_.server, text);
      default: break;
    }
    // RFC 5321 §4.2.1: 5yz is final for what was asked. To RCPT and DATA that was this mail; before, it was
    // our connection or account, which somebody will put right.
    const bool is_about_mail = command == "RCPT" || command == "DATA";
    if (reply >= 500 && reply < 600 && is_about_mail)
      return fail(Errc::refused, Retry::never, "{}: refused with {}: {}", settings_.server, reply, text);
    return fail(Errc::not_connected, Retry::later, "{}: {}", settings_.server, text);
  }

  struct Cleanup {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  const EmailSettings settings_;
  std::unique_ptr<CURL, Cleanup> curl_;
};

}  // namespace

EmailSettings EmailSettings::read(const SettingsTable& table) {
  EmailSettings read;
  read.server = table.text("server", {.help = "smtp://host:587 or smtps://host:465"});
  const bool is_smtps = read.server.starts_with("smtps://");
  if (!read.server.empty() && !is_smtps && !read.server.starts_with("smtp://"))
    table.reject("server", "smtp://host:port or smtps://host:port");
  read.starttls = table.choice<bool>("starttls", {{"required", true}, {"never", false}}, true,
                                     "For smtp://: refuse a server without STARTTLS, or send in clear text");
  read.ca_file =
      table.optional_file("ca_file", {.help = "CA of the mail server; the system's are used without it"});
  read.user = table.text("user", {.help = "Log-in name", .fallback = ""});
  if (const auto file = table.optional_file("password_file",
                                            {.help = "File (mode 0600) whose first line is the password"})) {
    auto secret = read_secret(*file);
    if (secret)
      read.password = *std::move(secret);
    else
      table.complain("password_file", secret.error().text);
  }
  if (!read.user.empty() && !table.has("password_file"))
    table.reject("password_file", "a file, because user is set");
  if (!read.user.empty() && !is_smtps && !read.starttls)
    table.reject("starttls", "\"required\": a password is not sent in clear text");
  read.from = table.text("from", {.help = "Sender's address"});
  read.to = table.texts("to", "Addresses that get every alarm");
  if (!read.from.empty() && !is_address(read.from))
    table.reject("from", "an address such as watch@example.com");
  if (read.to.empty()) table.reject("to", "at least one address");
  for (const auto& to : read.to)
    if (!is_address(to))
      table.reject("to", fmt::format("addresses such as li@example.com; \"{}\" is none", to));
  read.language = table.choice<Language>("language", {{"zh", Language::zh}, {"en", Language::en}},
                                         Language::zh, "Language of the mails");
  read.retry_min = table.duration(
      "retry_min_s",
      {.help = "Pause before the second try; it doubles", .fallback = 10s, .least = 1s, .most = 1h});
  read.retry_max = table.duration(
      "retry_max_s", {.help = "Longest pause between tries", .fallback = 300s, .least = 1s, .most = 24h});
  read.timeout = table.duration(
      "timeout_s", {.help = "How long one try may take", .fallback = 30s, .least = 1s, .most = 300s});
  table.finish();
  return read;
}

std::string mail_text(const EmailSettings& settings, const Notice& notice) {
  std::string text;
  text += fmt::format("Date: {}\r\n", rfc5322_date(notice.created_at));
  text += fmt::format("From: Watchroom <{}>\r\n", settings.from);
  text += fmt::format("To: <{}>\r\n", notice.recipient);
  text += fmt::format("Subject: {}\r\n", encoded_words(notice.subject));
  text += fmt::format("Message-ID: {}\r\n", notice.id);
  // RFC 3834: no out-of-office replies to a machine.
  text += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n";
  text += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  const std::string body = base64(notice.body);
  for (std::size_t i = 0; i < body.size(); i += 76) text += body.substr(i, 76) + "\r\n";
  return text;
}

std::unique_ptr<Channel> make_email(EmailSettings settings) {
  return std::make_unique<Email>(std::move(settings));
}

}  // namespace watchroom::aggregator
