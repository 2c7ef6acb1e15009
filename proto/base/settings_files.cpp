// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/settings.hpp"

// The files that settings name.
namespace watchroom {
namespace {

/// Nothing when `path` can be used.
std::string complaint_about(const std::filesystem::path& path, bool is_folder) {
  const char* expected = is_folder ? "a folder" : "a file that can be read";
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return fmt::format("\"{}\" does not exist, expected {}", path.string(), expected);
  if (is_folder ? !S_ISDIR(status.st_mode) : !S_ISREG(status.st_mode))
    return fmt::format("\"{}\" is {}, expected {}", path.string(),
                       S_ISDIR(status.st_mode) ? "a folder"
                       : is_folder             ? "a file"
                                               : "no ordinary file",
                       expected);
  if (::access(path.c_str(), R_OK) != 0)
    return fmt::format("\"{}\": {}, expected {}", path.string(), std::strerror(errno), expected);
  return {};
}

}  // namespace

std::filesystem::path SettingsTable::file(std::string_view key, const FileKey& about) const {
  const std::string written = text(key, {.help = about.help, .fallback = about.fallback, .longest = 4000});
  if (written.empty()) return {};
  std::filesystem::path path{written};
  if (is_confined() && (path.is_absolute() || std::ranges::count(path, "..") > 0)) {
    complain(key, fmt::format("\"{}\" is not allowed here, expected a path beneath {}", written,
                              folder().string()));
    return {};
  }
  if (path.is_relative()) path = folder() / path;
  if (!about.must_exist) return path;
  if (const std::string complaint = complaint_about(path, about.is_folder); !complaint.empty())
    complain(key, complaint);
  return path;
}

std::optional<std::filesystem::path> SettingsTable::optional_file(std::string_view key,
                                                                  const FileKey& about) const {
  if (has(key)) return file(key, about);
  describe_optional(key, about.is_folder ? "a folder" : "a file", about.help);
  return std::nullopt;
}

Result<std::string> read_secret(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0)
    return fail(Errc::not_found, Retry::never, "{}: the secret's file does not exist", file.string());
  if ((status.st_mode & S_IROTH) != 0)
    return fail(Errc::not_authorized, Retry::never, "{}: everybody can read this secret; run chmod 600 on it",
                file.string());
  std::ifstream in{file};
  std::string line;
  if (!in || !std::getline(in, line))
    return fail(Errc::io, Retry::never, "{}: the secret's file is empty or cannot be read", file.string());
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  if (line.empty()) return fail(Errc::invalid, Retry::never, "{}: the first line is empty", file.string());
  return line;
}

}  // namespace watchroom
