// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "agent/polling/poll_result.hpp"

namespace watchroom::agent {

/// What the core may ask of the side that polls. Called by the core thread; returns at once.
class Field {
 public:
  virtual ~Field() = default;

  /// Puts a device, by its id, into another class. A result that follows describes it anew.
  virtual void put_into_class(const std::string& device, ResourceClass resource_class) = 0;
};

}  // namespace watchroom::agent
