// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/whole_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace watchroom {
namespace {

Error cannot(const std::filesystem::path& file, std::string_view what, int code) {
  return fail(Errc::io, Retry::later, "{} cannot be {}: {}", file.string(), what, std::strerror(code));
}

}  // namespace

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
