// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import type { Alarm } from "../wire/types";
import { is_open, is_unacknowledged, most_urgent_first, point_id_of, rank, worst_by } from "./order";

const alarm = (id: number, more: Partial<Alarm> = {}): Alarm => ({
  id, rule: "r", kind: "high_limit", severity: "major", state: "unacknowledged", is_active: true,
  site: "hq", agent: "room1", device: "th1", point: "ambient.temperature",
  raised_at: `2026-11-21T00:00:${String(id).padStart(2, "0")}.000Z`, ...more,
});
const order = (...alarms: Alarm[]) => alarms.sort(most_urgent_first).map((one) => one.id);

test("an unacknowledged notice stands above an acknowledged catastrophe", () => {
  expect(order(alarm(1, { severity: "critical", state: "acknowledged" }), alarm(2, { severity: "warning" }))).toEqual([2, 1]);
});

test("the worse stands above the newer", () => {
  expect(order(alarm(9, { severity: "minor" }), alarm(1, { severity: "critical" }))).toEqual([1, 9]);
});

test("among equals the latest comes first", () => {
  expect(order(alarm(1), alarm(3), alarm(2))).toEqual([3, 2, 1]);
});

test("an alarm that returned by itself still waits to be acknowledged", () => {
  const returned = alarm(1, { state: "returned_unacknowledged", is_active: false });
  expect([is_open(returned), is_unacknowledged(returned)]).toEqual([true, true]);
  expect(is_open(alarm(1, { state: "normal" }))).toBe(false);
});

test("an unknown severity is taken for the worst", () => {
  expect(rank(alarm(1, { severity: "apocalyptic" as never }))).toBe(0);
});

test("a point is marked by its worst alarm, and not by one that has returned", () => {
  const marks = worst_by(
    [alarm(1, { severity: "minor" }), alarm(2, { severity: "critical" }), alarm(3, { point: "x", is_active: false })],
    point_id_of,
  );
  expect([...marks].map(([id, worst]) => [id, worst.id])).toEqual([["hq/room1/th1/ambient.temperature", 2]]);
});
