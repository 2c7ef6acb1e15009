// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "proto/base/clock.hpp"
#include "proto/base/result.hpp"

namespace watchroom {

/// Where a certificate and its key lie, each in a file of its own (PEM).
struct KeyPairFiles {
  std::filesystem::path certificate, key;
  unsigned key_mode = 0600;  ///< of a key that is written
};

struct KeyPair {
  std::string certificate_pem, key_pem;
  Timestamp since{}, until{};
};

/// Nothing unless both files are there and belong together.
std::optional<KeyPair> load_key_pair(const KeyPairFiles& files);

/// Puts a new pair in the place of the old one. After a power cut at any moment `finish_replacement` finds
/// either the old pair or the new one whole, never one of each.
Result<void> replace_key_pair(const KeyPairFiles& files, const std::string& certificate_pem,
                              const std::string& key_pem);
/// To be called before the files are used: ends a replacement that was interrupted. True: there was one.
Result<bool> finish_replacement(const KeyPairFiles& files);

}  // namespace watchroom
