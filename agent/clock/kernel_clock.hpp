// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>

namespace watchroom::agent {

/// What the kernel says of its clock (adjtimex); nothing where it does not answer.
struct KernelClock {
  std::optional<bool> is_synchronised;
  std::optional<double> offset_s;  ///< still to be made good
  std::optional<double> most_error_s;
};

KernelClock read_kernel_clock();

}  // namespace watchroom::agent
