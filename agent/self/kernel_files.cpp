// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/kernel_files.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace watchroom::agent {
namespace {

constexpr double milli = 1e-3;

/// What the kernel shows in one file, at most 8 kB of it: the files read here are smaller.
class Shown {
 public:
  explicit Shown(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    const ssize_t size = ::read(descriptor, text_, sizeof text_);
    ::close(descriptor);
    if (size > 0) size_ = static_cast<std::size_t>(size);
  }

  std::string_view text() const { return {text_, size_}; }
  /// The number behind "key:"; a line of its own.
  std::optional<std::uint64_t> number(std::string_view key) const {
    for (std::string_view rest = text(); !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':')
        return first_number<std::uint64_t>(line.substr(key.size() + 1));
    }
    return std::nullopt;
  }
  /// meminfo and status count in kB.
  std::optional<std::uint64_t> bytes(std::string_view key) const {
    const auto kilobytes = number(key);
    return kilobytes ? std::optional{*kilobytes * 1024} : std::nullopt;
  }
  template <typename Number>
  static std::optional<Number> first_number(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    Number number{};
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{})
      return std::nullopt;
    return number;
  }

 private:
  char text_[8192];
  std::size_t size_ = 0;
};

std::optional<std::uint64_t> count_entries(const std::filesystem::path& folder) {
  DIR* open = ::opendir(folder.c_str());
  if (!open) return std::nullopt;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(open)) count += entry->d_name[0] != '.';
  ::closedir(open);
  return count > 0 ? count - 1 : 0;  // one of them is what we look with
}

std::optional<double> cpu_so_far() {
  timespec spent{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) != 0) return std::nullopt;
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

/// ext4 counts what it found wrong (Documentation/ABI/testing/sysfs-fs-ext4, errors_count).
std::optional<std::filesystem::path> error_count_file(dev_t device, const std::filesystem::path& sys) {
  std::error_code error;
  const auto block = std::filesystem::canonical(
      sys / "dev" / "block" / fmt::format("{}:{}", gnu_dev_major(device), gnu_dev_minor(device)), error);
  if (error) return std::nullopt;
  auto file = sys / "fs" / "ext4" / block.filename() / "errors_count";
  return std::filesystem::exists(file, error) ? std::optional{std::move(file)} : std::nullopt;
}

}  // namespace

ProcessFigures read_process(const KernelFolders& folders) {
  ProcessFigures process;
  process.cpu_s = cpu_so_far();
  const auto self = folders.proc / "self";
  const Shown status{self / "status"};
  process.resident_bytes = status.bytes("VmRSS");
  process.anonymous_bytes = status.bytes("RssAnon");
  process.threads = status.number("Threads");
  process.written_bytes = Shown{self / "io"}.number("write_bytes");
  process.open_descriptors = count_entries(self / "fd");
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) process.most_descriptors = limit.rlim_cur;
  return process;
}

MachineFiles::MachineFiles(KernelFolders folders) : folders_{std::move(folders)} {
  std::error_code error;
  for (const auto& zone : std::filesystem::directory_iterator{folders_.sys / "class" / "thermal", error})
    if (zone.path().filename().string().starts_with("thermal_zone"))
      thermometers_.push_back(zone.path() / "temp");
}

MachineFigures MachineFiles::read() const {
  MachineFigures machine;
  machine.load_1min = Shown::first_number<double>(Shown{folders_.proc / "loadavg"}.text());
  machine.memory_available_bytes = Shown{folders_.proc / "meminfo"}.bytes("MemAvailable");
  machine.has_thermometer = !thermometers_.empty();
  for (const auto& thermometer : thermometers_) {
    const auto reading = Shown::first_number<std::int64_t>(Shown{thermometer}.text());
    // A zone that is switched off shows absolute zero or nonsense.
    constexpr std::int64_t coldest = -60'000, hottest = 200'000;
    if (!reading || *reading < coldest || *reading > hottest) continue;
    const double celsius = static_cast<double>(*reading) * milli;
    machine.temperature_celsius = std::max(machine.temperature_celsius.value_or(celsius), celsius);
  }
  return machine;
}

DiskFigures read_disk(const std::filesystem::path& folder, const KernelFolders& folders) {
  DiskFigures disk;
  std::filesystem::path there = folder;
  struct statvfs room {};
  struct stat place {};
  while (::stat(there.c_str(), &place) != 0) {
    if (errno != ENOENT || !there.has_relative_path()) return disk;
    there = there.parent_path();
  }
  if (const auto file = error_count_file(place.st_dev, folders.sys)) {
    disk.counts_errors = true;
    disk.errors = Shown::first_number<std::uint64_t>(Shown{*file}.text());
  }
  if (::statvfs(there.c_str(), &room) != 0) return disk;
  const std::uint64_t block = room.f_frsize;
  disk.size_bytes = room.f_blocks * block;
  disk.free_bytes = room.f_bavail * block;
  const std::uint64_t used = room.f_blocks - room.f_bfree;
  if (used + room.f_bavail > 0)
    disk.used_ratio = static_cast<double>(used) / static_cast<double>(used + room.f_bavail);
  disk.is_read_only = (room.f_flag & ST_RDONLY) != 0;
  return disk;
}

}  // namespace watchroom::agent
