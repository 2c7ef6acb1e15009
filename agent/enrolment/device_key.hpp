// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "proto/base/result.hpp"

namespace watchroom::agent {

/// A key that was made on this machine and leaves it never, and the request (PKCS#10, DER) to certify it.
struct DeviceKey {
  std::string key_pem;
  std::string request_der;
};

/// EC P-256 by mbedTLS; the randomness is the kernel's.
Result<DeviceKey> make_device_key(const std::string& common_name);

}  // namespace watchroom::agent
