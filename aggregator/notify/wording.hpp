// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include <string>

#include "aggregator/alarms/engine.hpp"
#include "aggregator/store/store.hpp"

namespace watchroom::aggregator {

enum class Language { zh, en };

/// The mail that tells `recipient` of a change. The Message-ID depends only on alarm, event, person and host,
/// so that a repeat after a crash is the same message.
Mail compose_mail(const AlarmChange& change, const std::string& recipient, Language language,
                  const std::string& host_id, Timestamp now);

/// "2026-11-21 11:03:05 +0800", in the machine's time zone.
std::string local_time(Timestamp at);

}  // namespace watchroom::aggregator
