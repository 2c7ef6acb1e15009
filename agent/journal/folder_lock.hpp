// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>

#include "proto/base/result.hpp"

namespace watchroom::agent {

/// Holds a folder for this process: two agents on one journal would number twice. The lock is on the folder
/// itself, so that a full or read-only disk does not stand in its way, and ends with the process, however
/// that ends.
class FolderLock {
 public:
  FolderLock() = default;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

  /// Makes the folder when it is missing. `conflict`: another process holds it. Nothing to do when held.
  Result<void> take(const std::filesystem::path& folder);

 private:
  int descriptor_ = -1;
};

}  // namespace watchroom::agent
