// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/whole_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <unistd.h>

namespace watchroom {
namespace {

Error cannot(const std::filesystem::path& file, std::string_view what, int code) {
  return fail(Errc::io, Retry::later, "{} cannot be {}: {}", file.string(), what, std::strerror(code));
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// That a name now means another file is in its folder.
int keep_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return errno;
  const int code = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  return code;
}

}  // namespace

Result<void> write_whole(const std::filesystem::path& file, std::string_view text, Readers readers) {
  const std::filesystem::path fresh = file.string() + ".new";
  ::unlink(fresh.c_str());  // one that a power cut left may have other readers
  const int descriptor =
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, static_cast<mode_t>(readers));
  if (descriptor < 0) return cannot(fresh, "made", errno);
  const bool is_written = write_all(descriptor, text) && ::fsync(descriptor) == 0;
  const int code = errno;
  ::close(descriptor);
  if (!is_written) {
    ::unlink(fresh.c_str());
    return cannot(fresh, "written", code);
  }
  if (::rename(fresh.c_str(), file.c_str()) != 0) return cannot(file, "replaced", errno);
  if (const int failed = keep_folder(file.parent_path()); failed != 0) return cannot(file, "kept", failed);
  return {};
}

Result<std::string> read_whole(const std::filesystem::path& file, std::size_t longest) {
  errno = 0;
  std::ifstream in{file, std::ios::binary};
  if (!in && errno != ENOENT) return cannot(file, "read", errno);
  if (!in) return fail(Errc::not_found, Retry::later, "there is no {}", file.string());
  std::error_code ignored;
  if (std::filesystem::file_size(file, ignored) > longest)
    return fail(Errc::full, Retry::never, "{} is longer than {} bytes", file.string(), longest);
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad()) return cannot(file, "read", errno);
  return text;
}

}  // namespace watchroom
