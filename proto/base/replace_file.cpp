// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/replace_file.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace watchroom {
namespace {

constexpr int look_ms = 10;

Error io_error(const std::filesystem::path& file, std::string_view what) {
  return fail(Errc::io, Retry::never, "{}: {}: {}", file.string(), what, std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_{number} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
}

Result<void> write_whole(int descriptor, const std::filesystem::path& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(descriptor, text.data(), text.size());
    if (wrote < 0 && errno != EINTR) return io_error(file, "cannot be written");
    if (wrote > 0) text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (::fsync(descriptor) != 0) return io_error(file, "cannot be synced");
  return {};
}

Result<void> fill(const std::filesystem::path& fresh, const std::filesystem::path& file,
                  std::string_view text, unsigned mode) {
  const Descriptor out{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (out.number() < 0) return io_error(fresh, "cannot be made");
  struct stat before {};
  // Root may write for a service that runs as somebody else; anybody else owns the file already.
  if (::stat(file.c_str(), &before) == 0 && ::fchown(out.number(), before.st_uid, before.st_gid) != 0 &&
      errno != EPERM)
    return io_error(fresh, "cannot be given to the old file's owner");
  // Whatever the process's mask says.
  if (::fchmod(out.number(), mode) != 0) return io_error(fresh, "cannot be given its mode");
  return write_whole(out.number(), fresh, text);
}

}  // namespace

Result<void> replace_file(const std::filesystem::path& file, std::string_view text, unsigned mode) {
  const std::filesystem::path fresh = file.string() + fmt::format(".new-{}", ::getpid());
  ::unlink(fresh.c_str());
  if (auto filled = fill(fresh, file, text, mode); !filled) {
    ::unlink(fresh.c_str());
    return filled;
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) {
    Error error = io_error(file, "cannot be replaced");
    ::unlink(fresh.c_str());
    return error;
  }
  // Without this the new name itself may be lost with the power: fsync(2), notes on directories.
  const Descriptor folder{::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.number() < 0 || ::fsync(folder.number()) != 0)
    return io_error(folder_of(file), "cannot be synced");
  return {};
}

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder, std::chrono::milliseconds patience) {
  const std::filesystem::path place = folder.empty() ? std::filesystem::path{"."} : folder;
  const int descriptor = ::open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return io_error(place, "cannot be opened");
  FolderLock lock{descriptor};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return io_error(place, "cannot be locked");
    if (std::chrono::steady_clock::now() >= deadline)
      return fail(Errc::io, Retry::later, "{}: another process has kept it locked for {} ms", place.string(),
                  patience.count());
    ::poll(nullptr, 0, look_ms);  // flock has no deadline of its own
  }
  return lock;
}

FolderLock::FolderLock(FolderLock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace watchroom
