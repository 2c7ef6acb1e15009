// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace watchroom {

/// For tests: a throw-away CA in `folder` (ca.pem, ca.key) and what it signs (NAME.pem, NAME.key).
class TestCertificates {
 public:
  explicit TestCertificates(std::filesystem::path folder) : folder_{std::move(folder)} {
    run_openssl(std::string{new_key} + " -days 2 -subj /CN=throw-away -out " + file("ca.pem") + " -keyout " +
                file("ca.key"));
  }

  void make(const std::string& name, const std::string& extensions = "",
            const std::string& days = "2") const {
    run_openssl(std::string{new_key} + " -days " + days + " -subj /CN=" + name + " -CA " + file("ca.pem") +
                " -CAkey " + file("ca.key") + " -addext basicConstraints=critical,CA:FALSE " + extensions +
                " -out " + file(name + ".pem") + " -keyout " + file(name + ".key"));
  }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

 private:
  static constexpr const char* new_key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

  static void run_openssl(const std::string& arguments) {
    const std::string command = "openssl " + arguments + " >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  const std::filesystem::path folder_;
};

}  // namespace watchroom
