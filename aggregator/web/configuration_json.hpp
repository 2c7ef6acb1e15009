// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "aggregator/configurations/configurations.hpp"
#include "aggregator/web/room_json.hpp"

namespace watchroom::aggregator {

Json to_json(const KeptConfiguration& kept);
Json to_json(const ConfigurationView& view);

}  // namespace watchroom::aggregator
