// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <exception>

#include "aggregator/cli/console.hpp"
#include "aggregator/cli/program.hpp"

int main(int argument_count, char** arguments) {
  try {
    return watchroom::cli::run_program(argument_count, arguments);
  } catch (const std::exception& error) {
    watchroom::cli::complain(error.what());
    return watchroom::cli::exit_refused;
  }
}
