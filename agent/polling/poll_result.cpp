// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "agent/polling/poll_result.hpp"

#include <cstdlib>

namespace watchroom::agent {

std::string_view name_of(ResourceClass resource_class) {
  switch (resource_class) {
    case ResourceClass::core: return "core";
    case ResourceClass::key: return "key";
    case ResourceClass::general: return "general";
  }
  std::abort();
}

}  // namespace watchroom::agent
