// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Sample } from "../wire/types";
import { is_good } from "./presented";

/** A moment of a curve; null where nothing good was known. */
export interface Moment {
  at_ms: number;
  value: number | null;
}

export interface Curve {
  path: string;
  low: number;
  high: number;
  end: { x: number; y: number } | null;
}

// An unchanged value is sent at least each 60 s, so a longer pause was lost data, not calm.
const longest_calm_ms = 150_000;

export function moments_of(samples: readonly Sample[]): Moment[] {
  return samples
    .map((sample) => ({
      at_ms: Date.parse(sample.taken_at),
      value: is_good(sample.quality) && typeof sample.value === "number" ? sample.value : null,
    }))
    .filter((moment) => Number.isFinite(moment.at_ms))
    .sort((left, right) => left.at_ms - right.at_ms);
}

/** At most the first, lowest, highest and last moment of each slice; gaps are kept. */
export function thinned(moments: readonly Moment[], slice_ms: number): Moment[] {
  const kept: Moment[] = [];
  for (let begin = 0; begin < moments.length; ) {
    const slice = Math.floor(moments[begin]!.at_ms / slice_ms);
    let end = begin;
    let [low, high] = [begin, begin];
    const keep = new Set([begin]);
    for (; end < moments.length && Math.floor(moments[end]!.at_ms / slice_ms) === slice; end++) {
      const value = moments[end]!.value;
      if (value === null) keep.add(end);
      else {
        if (value < (moments[low]!.value ?? Infinity)) low = end;
        if (value > (moments[high]!.value ?? -Infinity)) high = end;
      }
    }
    for (const index of [low, high, end - 1]) keep.add(index);
    for (const index of [...keep].sort((left, right) => left - right)) kept.push(moments[index]!);
    begin = end;
  }
  return kept;
}

/** An SVG path over [from, to]; null when there is nothing to draw. */
export function curve_of(
  moments: readonly Moment[],
  from_ms: number,
  to_ms: number,
  width: number,
  height: number,
): Curve | null {
  const inside = thinned(
    moments.filter((moment) => moment.at_ms >= from_ms && moment.at_ms <= to_ms),
    (to_ms - from_ms) / width,
  );
  const values = inside.flatMap((moment) => (moment.value === null ? [] : [moment.value]));
  if (!values.length) return null;
  const low = Math.min(...values);
  const high = Math.max(...values);

  // Less than 2 % of the value is drawn as calm, or noise would look like drama.
  const span = Math.max(high - low, Math.abs(high) * 0.02, 1e-9);
  const middle = (low + high) / 2;
  const x_of = (at_ms: number) => round(((at_ms - from_ms) / (to_ms - from_ms)) * width);
  const y_of = (value: number) => round(height / 2 - ((value - middle) / span) * height);

  let path = "";
  let before: Moment | null = null;
  let end: Curve["end"] = null;
  for (const moment of inside) {
    if (moment.value !== null) {
      end = { x: x_of(moment.at_ms), y: y_of(moment.value) };
      const is_joined = before?.value != null && moment.at_ms - before.at_ms <= longest_calm_ms;
      path += `${is_joined ? "L" : "M"}${end.x} ${end.y}`;
    }
    before = moment;
  }
  const is_current = before?.value != null && to_ms - before.at_ms <= longest_calm_ms;
  return { path, low, high, end: is_current ? end : null };
}

const round = (number: number) => Math.round(number * 10) / 10;
