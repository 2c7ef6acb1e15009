// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <chrono>
#include <stop_token>

#include "agent/drivers/address_query.hpp"
#include "agent/drivers/host_names.hpp"
#include "proto/base/result.hpp"

namespace watchroom::agent {

/// A connected socket, the caller's to close. Tries every address of the host within `patience` in all.
Result<int> tcp_connect(const TcpPeer& peer, HostNames& names, std::chrono::milliseconds patience,
                        const std::stop_token& stop);

}  // namespace watchroom::agent
