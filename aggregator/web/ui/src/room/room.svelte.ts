// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { untrack } from "svelte";
import { clock } from "../status/clock.svelte";
import type { Link } from "../wire/event_stream";
import type { Agent, Point, Status } from "../wire/types";
import { arrange } from "./arrange";
import type { Heard } from "./presented";

const longest_core_age_s = 5;

/** One point; a change of it touches nothing but what shows it. */
export class Cell {
  heard = $state.raw() as Heard;

  constructor(point: Point, now_ms: number) {
    this.heard = { point, heard_at_ms: now_ms };
  }

  get point(): Point {
    return this.heard.point;
  }
}

/** Everything the live feed told about the room, as last heard. */
class Room {
  link = $state.raw<Link>({ state: "connecting" });
  status = $state.raw<Status | null>(null);
  #status_at = 0;
  #agents = $state.raw<ReadonlyMap<string, Agent>>(new Map());
  #cells = new Map<string, Cell>();
  /** Grows when a point appears or goes, i.e. when the room must be arranged anew. */
  #shape = $state(0);

  readonly groups = $derived.by(() => {
    void this.#shape;
    const agents = this.#agents;
    // Addresses never change, so a new value must not arrange the room anew.
    return untrack(() => arrange(agents.values(), this.#cells.values()));
  });

  get is_live(): boolean {
    return this.link.state === "live" && !this.is_core_stuck;
  }

  /** The feed as far as values go: what a stuck core said last is as old as on a lost link. */
  get feed(): Link {
    const age_ms = (this.status?.core_age_s ?? 0) * 1_000;
    return this.is_core_stuck && this.link.state === "live"
      ? { state: "lost", since: this.#status_at - age_ms, retry_at: this.#status_at }
      : this.link;
  }

  /** The server answers, but what it shows is old. */
  get is_core_stuck(): boolean {
    return (this.status?.core_age_s ?? 0) > longest_core_age_s;
  }

  get is_store_failing(): boolean {
    return this.status?.store?.state === "failing";
  }

  get is_intake_full(): boolean {
    const { queue = 0, capacity = 0 } = this.status?.intake ?? {};
    return capacity > 0 && queue > capacity / 2;
  }

  get is_broker_lost(): boolean {
    return this.status?.broker?.state === "unreachable";
  }

  get agents(): ReadonlyMap<string, Agent> {
    return this.#agents;
  }

  /** Every cell, re-read whenever the room's shape changes. */
  get cells(): ReadonlyMap<string, Cell> {
    void this.#shape;
    return this.#cells;
  }

  take_points(points: readonly Point[], is_full: boolean): void {
    const now_ms = performance.now();
    let has_changed = false;
    if (is_full) {
      const kept = new Set(points.map((point) => point.id));
      for (const id of [...this.#cells.keys()])
        if (!kept.has(id)) has_changed = this.#cells.delete(id) || has_changed;
    }
    for (const point of points) {
      const cell = this.#cells.get(point.id);
      if (cell) {
        cell.heard = { point, heard_at_ms: now_ms };
      } else {
        this.#cells.set(point.id, new Cell(point, now_ms));
        has_changed = true;
      }
    }
    if (has_changed) this.#shape++;
  }

  take_agents(agents: readonly Agent[], is_full: boolean): void {
    const next = new Map(is_full ? [] : this.#agents);
    for (const agent of agents) next.set(`${agent.site}/${agent.agent}`, agent);
    this.#agents = next;
  }

  take_status(status: Status): void {
    this.status = status;
    this.#status_at = Date.now();
    clock.set_by(status.time);
  }

  forget(): void {
    this.link = { state: "connecting" };
    this.status = null;
    this.#agents = new Map();
    this.#cells.clear();
    this.#shape++;
  }
}

export const room = new Room();
