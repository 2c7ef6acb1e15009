// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Link } from "../wire/event_stream";
import type { Point, Quality } from "../wire/types";

/** A point together with when the page heard it, on the page's own clock. */
export interface Heard {
  point: Point;
  heard_at_ms: number;
}

/**
 * How a point may be shown.
 * live: the value stands. frozen: the feed is lost, the value is greyed and its age counts.
 * absent: a dash with the reason; what was last seen may stand beside it, marked as past.
 */
export type Presence = "live" | "frozen" | "absent";

// The longest silence an agent may keep about an unchanged value is 60 s (max_silence_s), so
// beyond that a frozen value says nothing any more.
const frozen_for_ms = 60_000;

/** A value whose time is doubtful stands all the same. */
export const is_good = (quality: Quality) => quality === "good" || quality === "clock_unsure";

export function presence_of(point: Point, link: Link, wall_now_ms: number): Presence {
  if (!is_good(point.quality) || point.value === null) return "absent";
  if (link.state === "live") return "live";
  const lost_ms = link.state === "lost" ? wall_now_ms - link.since : 0;
  return lost_ms > frozen_for_ms ? "absent" : "frozen";
}

export function age_s_of(heard: Heard, now_ms: number): number | null {
  const age_s = heard.point.age_s;
  if (age_s === null || age_s === undefined) return null;
  return Math.max(0, age_s + (now_ms - heard.heard_at_ms) / 1_000);
}

/** What was last seen: the value itself while it is good, else what the server kept. */
export function last_seen(point: Point) {
  return is_good(point.quality) ? point.value : (point.last_value ?? null);
}

export const is_measured = (point: Point) => {
  const seen = last_seen(point);
  return !point.state && !point.state_zh && (typeof seen === "number" || (seen === null && !!point.unit_symbol));
};
