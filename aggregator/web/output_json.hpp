// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "aggregator/outputs/outputs.hpp"
#include "aggregator/web/room_json.hpp"

namespace watchroom::aggregator {

Json to_json(const KeptOrder& order);
Json to_json(const OutputView& view);
Json to_json(const OutputSelection& selection);

}  // namespace watchroom::aggregator
