// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/certificate_watch.hpp"

namespace watchroom::agent {
namespace {

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

}  // namespace

CertificateFigures CertificateWatch::look(Timestamp now) {
  CertificateFigures figures;
  figures.name = name_;
  struct stat found {};
  if (::stat(file_.c_str(), &found) != 0) {
    validity_.reset();
    seen_ = {};
    return figures;
  }
  const std::int64_t second = to_ms(now) / 1000;
  // Which one of a bundle counts may change with time.
  const bool has_run_out = validity_ && validity_->until < second;
  // One that cannot be read is tried again: the right to read it may come without a change.
  if (!validity_ || has_run_out || !is_same_file(found, seen_)) {
    validity_ = read_validity(file_, kind_, second);
    seen_ = found;
  }
  if (!validity_) return figures;
  figures.remaining_s = static_cast<double>(validity_->until - second);
  figures.state = validity_->until < second   ? CertificateState::expired
                  : validity_->since > second ? CertificateState::not_yet
                                              : CertificateState::valid;
  return figures;
}

}  // namespace watchroom::agent
