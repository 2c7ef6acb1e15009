// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/journal/folder_lock.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace watchroom::agent {

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> FolderLock::take(const std::filesystem::path& folder) {
  if (descriptor_ >= 0) return {};
  std::error_code error;
  if (std::filesystem::create_directories(folder, error); error)
    return fail(Errc::io, Retry::later, "{}: {}", folder.string(), error.message());
  const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return fail(Errc::io, Retry::later, "{}: {}", folder.string(), std::strerror(errno));
  if (::flock(opened, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(opened);
    return fail(Errc::conflict, Retry::later, "another agent is running on {}", folder.string());
  }
  // A file system without locks is no reason to keep nothing on disk.
  descriptor_ = opened;
  return {};
}

}  // namespace watchroom::agent
