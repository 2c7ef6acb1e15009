// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "proto/base/result.hpp"
#include "proto/link/peer_judge.hpp"

struct ssl_ctx_st;

namespace watchroom {

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
  const std::string& refusal() const { return judge_->refusal(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  std::unique_ptr<PeerJudge> judge_;  // before context_, which points to it
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace watchroom
