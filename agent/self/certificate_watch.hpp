// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <string>

#include <sys/stat.h>

#include "agent/self/figures.hpp"
#include "proto/link/identity.hpp"

namespace watchroom::agent {

/// Keeps an eye on a PEM file of certificates: reads it again only when it has changed.
class CertificateWatch {
 public:
  CertificateWatch(std::string name, std::filesystem::path file, CertificateFile kind)
      : name_{std::move(name)}, file_{std::move(file)}, kind_{kind} {}

  CertificateFigures look(Timestamp now);

 private:
  std::string name_;
  std::filesystem::path file_;
  CertificateFile kind_;
  struct stat seen_ {};
  std::optional<Validity> validity_;
};

}  // namespace watchroom::agent
