// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/self/kernel_files.hpp"

#include <atomic>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/journal/scratch_folder.hpp"

namespace watchroom::agent {
namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream{file} << text;
}

TEST(ProcessFigures, AreThoseOfThisProcess) {
  const ProcessFigures before = read_process({});
  ASSERT_TRUE(before.resident_bytes && before.anonymous_bytes && before.threads && before.cpu_s);
  EXPECT_GT(*before.resident_bytes, *before.anonymous_bytes);
  EXPECT_GT(*before.cpu_s, 0.0);

  std::vector<int> opened;
  for (int i = 0; i < 10; ++i) opened.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  std::vector<char> much(16u << 20, 'x');
  const ProcessFigures now = read_process({});
  for (const int descriptor : opened) ::close(descriptor);
  EXPECT_EQ(*now.open_descriptors, *before.open_descriptors + 10);
  EXPECT_GE(*now.anonymous_bytes, *before.anonymous_bytes + (15u << 20)) << much[12345];
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(now.most_descriptors, limit.rlim_cur);
}

TEST(ProcessFigures, CountAThreadAsLongAsItRuns) {
  const auto before = *read_process({}).threads;
  std::atomic<bool> may_end = false;
  std::thread other{[&] { may_end.wait(false); }};
  EXPECT_EQ(*read_process({}).threads, before + 1);
  may_end = true;
  may_end.notify_one();
  other.join();
}

TEST(ProcessFigures, WhatTheKernelDoesNotTellIsAbsent) {
  const ScratchFolder folder;
  const ProcessFigures none = read_process({folder.path(), folder.path()});
  EXPECT_FALSE(none.resident_bytes || none.threads || none.written_bytes || none.open_descriptors);
}

TEST(ProcessFigures, TakeTheWrittenBytesAndNotTheCancelledOnes) {
  const ScratchFolder folder;
  write(folder.path() / "self" / "io",
        "rchar: 5\nwchar: 999\nsyscr: 1\nsyscw: 2\nread_bytes: 0\nwrite_bytes: 8192\ncancelled_write_bytes: "
        "4096\n");
  EXPECT_EQ(read_process({folder.path(), folder.path()}).written_bytes, 8192u);
}

TEST(MachineFiles, TakeTheHottestZoneThatIsOn) {
  const ScratchFolder folder;
  write(folder.path() / "class" / "thermal" / "thermal_zone0" / "temp", "41250\n");
  write(folder.path() / "class" / "thermal" / "thermal_zone1" / "temp", "-274000\n");
  write(folder.path() / "class" / "thermal" / "thermal_zone2" / "temp", "52000\n");
  write(folder.path() / "class" / "thermal" / "cooling_device0" / "temp", "99000\n");
  write(folder.path() / "loadavg", "1.25 0.75 0.50 1/200 12345\n");
  write(folder.path() / "meminfo", "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  600 kB\n");
  const MachineFigures machine = MachineFiles{{folder.path(), folder.path()}}.read();
  EXPECT_TRUE(machine.has_thermometer);
  EXPECT_DOUBLE_EQ(machine.temperature_celsius.value(), 52.0);
  EXPECT_DOUBLE_EQ(machine.load_1min.value(), 1.25);
  EXPECT_EQ(machine.memory_available_bytes, 600u * 1024);
}

TEST(MachineFiles, WithoutThermometerThereIsNoTemperature) {
  const ScratchFolder folder;
  const MachineFigures machine = MachineFiles{{folder.path(), folder.path()}}.read();
  EXPECT_FALSE(machine.has_thermometer);
  EXPECT_FALSE(machine.temperature_celsius);
}

TEST(DiskFigures, AgreeWithTheFileSystem) {
  const ScratchFolder folder;
  const DiskFigures disk = read_disk(folder.path(), {});
  struct statvfs room {};
  ASSERT_EQ(::statvfs(folder.path().c_str(), &room), 0);
  EXPECT_EQ(disk.size_bytes, room.f_blocks * room.f_frsize);
  ASSERT_TRUE(disk.used_ratio);
  EXPECT_GE(*disk.used_ratio, 0.0);
  EXPECT_LE(*disk.used_ratio, 1.0);
  EXPECT_EQ(disk.is_read_only, false);
}

TEST(DiskFigures, OfAFolderThatIsNotThereYetAreThoseOfTheOneAbove) {
  const ScratchFolder folder;
  EXPECT_EQ(read_disk(folder.path() / "a" / "b", {}).size_bytes, read_disk(folder.path(), {}).size_bytes);
}

TEST(DiskFigures, SayThatAFileSystemIsReadOnly) {
  constexpr int says_so = 0, says_not = 1, cannot_tell = 2;
  const ScratchFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {  // a mount of its own, gone with it
    const bool is_mounted = ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
                            ::mount("tmpfs", folder.path().c_str(), "tmpfs", MS_RDONLY, "") == 0;
    if (!is_mounted) ::_exit(cannot_tell);
    ::_exit(read_disk(folder.path(), {}).is_read_only == true ? says_so : says_not);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == cannot_tell) GTEST_SKIP() << "no user namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), says_so);
}

}  // namespace
}  // namespace watchroom::agent
