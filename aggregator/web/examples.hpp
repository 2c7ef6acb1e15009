// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
#pragma once

#include "aggregator/web/room_json.hpp"

/// One filled example of each body, made with the same functions as the real ones, so that the description of
/// the API cannot tell another story than the API.
namespace watchroom::aggregator::examples {

Json log_in();
Json session();
Json status();
Json points();
Json samples();
Json alarms();
Json alarm();
Json acknowledgement();
Json agents();
Json device();
Json wanted_class();
Json configuration();
Json configurations();
Json wanted_configuration();
Json outputs();
Json wanted_output();
Json output_selection();
Json selected_output();
Json output_order();
Json output_orders();
Json own_password();
Json pending_totp();
Json totp_proof();
Json session_with_totp();
Json audit();
Json users();
Json user();
Json user_with_password();
Json new_user();
Json changed_user();
Json wanted_token();
Json token();
Json identities();
Json identity();
Json wanted_invitation();
Json invitation();
Json revocation();

}  // namespace watchroom::aggregator::examples
