// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include "proto/base/result.hpp"

namespace watchroom {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::no_answer: return "no_answer";
    case Errc::not_connected: return "not_connected";
    case Errc::refused: return "refused";
    case Errc::not_authorized: return "not_authorized";
    case Errc::corrupt: return "corrupt";
    case Errc::invalid: return "invalid";
    case Errc::not_found: return "not_found";
    case Errc::conflict: return "conflict";
    case Errc::full: return "full";
    case Errc::io: return "io";
    case Errc::cancelled: return "cancelled";
  }
  std::abort();
}

}  // namespace watchroom
