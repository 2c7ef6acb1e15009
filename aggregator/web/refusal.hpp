// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string_view>

#include "aggregator/web/message.hpp"
#include "proto/base/result.hpp"

namespace watchroom::aggregator {

/// Every way of saying no. Status and titles are in one table beside this.
enum class Refusal {
  malformed,
  not_logged_in,
  wrong_log_in,
  code_needed,
  wrong_password,
  wrong_code,
  not_allowed,
  password_change_needed,
  foreign_origin,
  not_found,
  wrong_method,
  conflict,
  out_of_reach,
  body_too_large,
  not_json,
  too_many_attempts,
  header_too_large,
  failed,
  busy,
};

/// An application/problem+json (RFC 9457) in both languages.
Answer refuse(Refusal refusal, std::string_view detail_en, std::string_view detail_zh);
/// What the room could not do.
Answer refuse(const Error& error);

}  // namespace watchroom::aggregator
