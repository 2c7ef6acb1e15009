// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <vector>

#include "agent/self/figures.hpp"

namespace watchroom::agent {

/// Where the kernel shows what it knows; tests have folders of their own.
struct KernelFolders {
  std::filesystem::path proc = "/proc";
  std::filesystem::path sys = "/sys";
};

ProcessFigures read_process(const KernelFolders& folders);

/// Of the machine. Looks for its thermometers once, when it is made.
class MachineFiles {
 public:
  explicit MachineFiles(KernelFolders folders);
  MachineFigures read() const;

 private:
  KernelFolders folders_;
  std::vector<std::filesystem::path> thermometers_;
};

/// `folder` need not exist yet: then it is the one above that counts.
DiskFigures read_disk(const std::filesystem::path& folder, const KernelFolders& folders);

}  // namespace watchroom::agent
