// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/drivers/net/web_probe.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <fmt/ranges.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "agent/drivers/net/curl_library.hpp"
#include "agent/drivers/net/own_fault.hpp"

namespace watchroom::agent {
namespace {

constexpr int stop_asked_ms = 100;  // how often a wait looks whether it shall stop
constexpr std::size_t most_of_body = 256 * 1024;

/// Whole days until it ends, negative once it has.
std::optional<int> days_left(const X509* certificate) {
  int days = 0, seconds = 0;
  if (!certificate || ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1)
    return std::nullopt;
  return seconds < 0 ? days - 1 : days;
}

class Fetch {
 public:
  Fetch(const CurlLibrary& curl, const WebTarget& target, std::size_t place)
      : index{place}, curl_{curl}, target_{target}, handle{curl.easy_init()} {
    const NetAddress& address = target.address;
    const std::string url = address.url();
    const std::string host =
        address.peer.host.find(':') == std::string::npos ? address.peer.host : "[" + address.peer.host + "]";
    const bool is_v6 = target.host.family() == AF_INET6;
    // Names are looked up by ourselves, who remember them and know whose fault it is.
    connect_to_ =
        curl.list_append(nullptr, fmt::format("{}:{}:{}{}{}:{}", host, address.peer.port, is_v6 ? "[" : "",
                                              target.host.text(), is_v6 ? "]" : "", address.peer.port)
                                      .c_str());
    set(CURLOPT_CONNECT_TO, connect_to_);
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_USERAGENT, "watchroom/" WATCHROOM_VERSION);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(target.timeout.count()));
    set(CURLOPT_FOLLOWLOCATION, address.redirects > 0 ? 1L : 0L);
    set(CURLOPT_MAXREDIRS, static_cast<long>(address.redirects));
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FORBID_REUSE, 1L);  // each time anew, for that is what is asked
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_WRITEFUNCTION, &Fetch::take_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_PRIVATE, this);
    if (address.scheme != NetScheme::https) return;
    set(CURLOPT_SSL_VERIFYPEER, address.is_verified ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, address.is_verified ? 2L : 0L);
    if (!address.ca_file.empty()) set(CURLOPT_CAINFO, address.ca_file.c_str());
    set(CURLOPT_SSL_CTX_FUNCTION, &Fetch::watch_certificates);
    set(CURLOPT_SSL_CTX_DATA, this);
  }
  Fetch(const Fetch&) = delete;
  Fetch& operator=(const Fetch&) = delete;
  ~Fetch() {
    curl_.easy_cleanup(handle);
    curl_.list_free(connect_to_);
  }

  Finding finding(CURLcode result) const {
    Finding finding;
    finding.certificate_days = certificate_days_;
    long status = 0;
    curl_.getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (status > 0) finding.status_code = static_cast<int>(status);
    const bool is_cut = result == CURLE_WRITE_ERROR && body_.size() >= most_of_body;
    if (result != CURLE_OK && !is_cut) {
      finding.not_asked = own_fault(target_.host);
      finding.reason = reason(result);
      return finding;
    }
    curl_off_t microseconds = 0;
    curl_.getinfo(handle, CURLINFO_STARTTRANSFER_TIME_T, &microseconds);
    finding.response_ms = milliseconds(std::chrono::microseconds{microseconds});
    finding.reason = complaint_of(target_.address, static_cast<int>(status), body_);
    finding.is_up = finding.reason.empty();
    return finding;
  }

  const std::size_t index;

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    curl_.setopt(handle, option, value);
  }

  std::string reason(CURLcode result) const {
    if (result == CURLE_OPERATION_TIMEDOUT)
      return fmt::format("no answer within {} ms", target_.timeout.count());
    if (result == CURLE_COULDNT_CONNECT) {
      long error = 0;
      curl_.getinfo(handle, CURLINFO_OS_ERRNO, &error);
      return error == ECONNREFUSED ? "connection refused" : std::strerror(static_cast<int>(error));
    }
    // Only what TLS complains of is worth its details; others hold times, and would be news with every poll.
    const bool is_tls = result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CONNECT_ERROR;
    const std::string_view text{error_.data()};
    return is_tls && !text.empty() ? std::string{text} : curl_.text_of(result);
  }

  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* fetch) {
    auto* self = static_cast<Fetch*>(fetch);
    const std::size_t length = size * count;
    self->body_.append(bytes, std::min(length, most_of_body - self->body_.size()));
    return self->body_.size() < most_of_body ? length : 0;  // enough seen
  }

  static CURLcode watch_certificates(CURL*, void* context, void* fetch) {
    SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(context), &Fetch::look_at_certificate, fetch);
    return CURLE_OK;
  }
  /// Before it is judged: a certificate that is refused has a date as well.
  static int look_at_certificate(X509_STORE_CTX* store, void* fetch) {
    auto* self = static_cast<Fetch*>(fetch);
    if (const auto days = days_left(X509_STORE_CTX_get0_cert(store))) self->certificate_days_ = days;
    return X509_verify_cert(store);
  }

  const CurlLibrary& curl_;
  const WebTarget& target_;
  curl_slist* connect_to_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string body_;
  std::optional<int> certificate_days_;

 public:
  CURL* const handle;
};

class Multi {
 public:
  explicit Multi(const CurlLibrary& curl) : curl_{curl}, handle_{curl.multi_init()} {}
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  ~Multi() {
    for (const auto& [handle, fetch] : running_) curl_.multi_remove(handle_, handle);
    running_.clear();
    curl_.multi_cleanup(handle_);
  }

  void add(const WebTarget& target, std::size_t place) {
    auto fetch = std::make_unique<Fetch>(curl_, target, place);
    CURL* handle = fetch->handle;
    running_.emplace(handle, std::move(fetch));
    curl_.multi_add(handle_, handle);
  }

  void run(const std::stop_token& stop, const Found& found) {
    while (!running_.empty() && !stop.stop_requested()) {
      int still_running = 0;
      curl_.multi_perform(handle_, &still_running);
      int left = 0;
      while (const CURLMsg* message = curl_.multi_info_read(handle_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* handle = message->easy_handle;
        const CURLcode result = message->data.result;
        curl_.multi_remove(handle_, handle);
        const auto fetch = std::move(running_.extract(handle).mapped());
        found(fetch->index, fetch->finding(result));
      }
      if (!running_.empty()) curl_.multi_poll(handle_, nullptr, 0, stop_asked_ms, nullptr);
    }
  }

 private:
  const CurlLibrary& curl_;
  CURLM* handle_;
  std::map<CURL*, std::unique_ptr<Fetch>> running_;
};

}  // namespace

std::string complaint_of(const NetAddress& address, int status, std::string_view body) {
  const bool is_wanted = address.statuses.empty() ? status >= 200 && status < 400
                                                  : std::ranges::count(address.statuses, status) > 0;
  if (!is_wanted)
    return fmt::format(
        "HTTP status {}, expected {}", status,
        address.statuses.empty() ? "200 to 399" : fmt::format("{}", fmt::join(address.statuses, ", ")));
  if (!address.text.empty() && body.find(address.text) == std::string_view::npos)
    return fmt::format("the page does not hold \"{}\"", address.text);
  return {};
}

void fetch(std::span<const WebTarget> targets, const std::stop_token& stop, const Found& found) {
  const Result<CurlLibrary>& curl = CurlLibrary::get();
  if (!curl) {
    for (std::size_t i = 0; i < targets.size(); ++i) found(i, {.not_asked = curl.error()});
    return;
  }
  Multi multi{*curl};
  for (std::size_t i = 0; i < targets.size(); ++i) multi.add(targets[i], i);
  multi.run(stop, found);
}

}  // namespace watchroom::agent
