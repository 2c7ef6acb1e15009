// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace watchroom {

/// The time by which certificates are judged.
struct CertificateTime {
  Timestamp now{};
  /// False: the clock may be wrong, `now` is the latest time that has surely been. What had run out by then
  /// is refused; what is not valid yet may well be by now, and is taken.
  bool is_sure = true;
};

/// The client's side of TLS 1.2 or newer with mutual authentication: one CA is trusted, and the peer's
/// certificate must be for `host` (name or address). Made anew for each connection, so that new files and a
/// new time count.
class TlsContext {
 public:
  struct Files {
    std::filesystem::path ca, certificate, key;
  };
  /// Errors name the file that is of no use.
  static Result<TlsContext> make(const Files& files, const std::string& host, CertificateTime time);

  /// Owned by this object, which must outlive every connection made with it.
  ssl_ctx_st* get() const { return context_.get(); }
  /// Why the peer's certificate was refused last; empty when none was.
  const std::string& refusal() const { return judge_->refusal; }

 private:
  struct Judge {
    bool is_sure = true;
    std::string refusal;
  };
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  static int judge_certificate(int is_good, x509_store_ctx_st* chain);

  std::unique_ptr<Judge> judge_;  // before context_, which points to it
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace watchroom
