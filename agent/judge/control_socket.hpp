// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "proto/base/log.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// Whoever holds it may work the outputs of a data folder: the agent while it runs, or the guardian of one
/// that has died. An abstract socket, so that it needs no disk and is gone with its holder.
class OutputsLock {
 public:
  OutputsLock() = default;
  OutputsLock(const OutputsLock&) = delete;
  OutputsLock& operator=(const OutputsLock&) = delete;
  ~OutputsLock();

  /// Errc::conflict: somebody else holds it.
  Result<void> take(const std::filesystem::path& data_dir);
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

/// The running agent's ear for `watchroom-agent inhibit` and `reset`: one message a connection, one back,
/// from root and from the agent's own user only. The lock must be taken, and outlive it.
class ControlSocket {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  ControlSocket(const OutputsLock& lock, Answer answer, Log log);
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;
  ~ControlSocket();

 private:
  void run();
  void serve(int connection);

  const int listening_;
  const Answer answer_;
  const Log log_;
  int wake_ = -1;
  std::thread thread_;
};

/// The other end: asks the agent that runs on a data folder.
Result<std::string> ask_running_agent(const std::filesystem::path& data_dir, const std::string& request);

}  // namespace watchroom::agent
