// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#include <string_view>

#include "aggregator/web/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  using namespace watchroom::aggregator;
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  Request request;
  static_cast<void>(split_target(text, request));
  static_cast<void>(cookie_named(text, "wr_session"));
  return 0;
}
