// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import * as client from "../wire/client";
import type { Alarm } from "../wire/types";
import { device_key_of, is_open, is_unacknowledged, most_urgent_first, point_id_of, worst_by } from "./order";

/** The alarms that wait for people, as last heard. */
class Alarms {
  #open = $state.raw<ReadonlyMap<number, Alarm>>(new Map());
  /** Alarms first seen after the page had its full set: they are read out once. */
  newest = $state.raw<Alarm | null>(null);
  /** Grows with every change, so that the history knows when to read again. */
  changes = $state(0);

  readonly open = $derived([...this.#open.values()].sort(most_urgent_first));
  readonly unacknowledged = $derived(this.open.filter(is_unacknowledged));
  readonly by_point = $derived(worst_by(this.open, point_id_of));
  readonly by_device = $derived(worst_by(this.open, device_key_of));

  take(alarms: readonly Alarm[], is_full: boolean): void {
    const next = new Map(is_full ? [] : this.#open);
    for (const alarm of alarms) {
      if (!is_open(alarm)) {
        next.delete(alarm.id);
        continue;
      }
      if (!is_full && !this.#open.has(alarm.id) && is_unacknowledged(alarm)) this.newest = alarm;
      next.set(alarm.id, alarm);
    }
    this.#open = next;
    this.changes++;
  }

  async acknowledge(id: number, comment: string): Promise<void> {
    this.take([await client.acknowledge(id, comment)], false);
  }

  forget(): void {
    this.#open = new Map();
    this.newest = null;
  }
}

export const alarms = new Alarms();
