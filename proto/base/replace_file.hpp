// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <filesystem>
#include <string_view>

#include "proto/base/result.hpp"

namespace watchroom {

/// Puts `text` in the place of what `file` held, or nothing at all: a reader never sees half of it, and
/// neither does a power cut. The owner of the old file is kept where the system lets us.
Result<void> replace_file(const std::filesystem::path& file, std::string_view text, unsigned mode = 0600);

/// Writers that hold this take turns, also between processes. It is released when the object goes.
class FolderLock {
 public:
  /// Errc::io when somebody else holds it all the time: whoever may read the folder can.
  static Result<FolderLock> take(const std::filesystem::path& folder,
                                 std::chrono::milliseconds patience = std::chrono::seconds{10});
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_{descriptor} {}
  int descriptor_;
};

}  // namespace watchroom
