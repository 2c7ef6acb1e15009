// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <functional>
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
/// Asked before every connection, on the thread that makes it.
using CertificateClock = std::function<CertificateTime()>;

/// Judges the certificate that the other end of a TLS connection shows. Must outlive the context that it
/// watches and all of its connections, and stays where it is. One thread.
class PeerJudge {
 public:
  explicit PeerJudge(CertificateTime time) : time_{time} {}
  PeerJudge(const PeerJudge&) = delete;
  PeerJudge& operator=(const PeerJudge&) = delete;

  /// From now on whoever answers on connections of `context` must be `host` (name or address), by an
  /// authority that `context` trusts.
  Result<void> watch(ssl_ctx_st& context, const std::string& host);
  /// Why a certificate was refused last; empty when none was.
  const std::string& refusal() const { return refusal_; }

 private:
  static int judge(int is_good, x509_store_ctx_st* chain);

  const CertificateTime time_;
  std::string refusal_;
};

}  // namespace watchroom
