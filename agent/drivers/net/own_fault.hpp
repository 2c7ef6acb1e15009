// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <optional>

#include "agent/drivers/host_address.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// Why nobody there can be asked at all: no route, a network card without a link. Nothing: it is not our
/// fault.
std::optional<Error> own_fault(const HostAddress& host);

}  // namespace watchroom::agent
