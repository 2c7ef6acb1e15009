// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { room } from "../room/room.svelte";
import type { Alarm } from "../wire/types";

/** Where an alarm is, in people's words where there are any: device, then agent. */
export function place_of(alarm: Alarm): string {
  const address = [alarm.site, alarm.agent].filter(Boolean).join("/");
  const agent = room.agents.get(address)?.name || address;
  return [alarm.device_name || alarm.device, agent].filter(Boolean).join(" · ");
}
