// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <cstdint>
#include <string>

#include "aggregator/cli/client.hpp"
#include "aggregator/cli/console.hpp"

/// Sirens, valves, outlets that agents work. `place` is SITE/AGENT/OUTPUT.
namespace watchroom::cli {

struct WantedOutput {
  std::string to;  ///< on, off, automatic
  std::int64_t lasting_s = 600, within_s = 10;
  std::string comment;
  bool is_confirmed = false;  ///< else a person is asked on the terminal
};

int show_outputs(const Client& client, const Console& console);
int show_output_orders(const Client& client, const Console& console, const std::string& place);
/// Selects it, shows what will happen, has it confirmed, orders it, and follows the order to its end.
int switch_output(const Client& client, const Console& console, const std::string& place,
                  const WantedOutput& wanted);

}  // namespace watchroom::cli
