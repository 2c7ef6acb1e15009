// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <filesystem>
#include <string>

#include "agent/drivers/device_address.hpp"
#include "agent/profiles/profile_grammar.hpp"

namespace watchroom::agent {

/// gpio://BOARD is an installed board, or one of `boards_dir`; gpio:///PATH/board.toml a file of the site's
/// own.
struct GpioAddress {
  std::filesystem::path board_file;
};

/// A line of the board, by name. `*` stands for every line: its row is the name, a number a byte.
struct GpioSource {
  std::string line;
};

extern const AddressGrammar gpio_addresses;
extern const ProfileGrammar gpio_profiles;

RowIndex row_of_line(std::string_view line);

}  // namespace watchroom::agent
