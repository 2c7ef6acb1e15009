// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import { curve_of, moments_of, thinned, type Moment } from "./spark_path";

const minute = 60_000;
const moments = (...values: (number | null)[]): Moment[] => values.map((value, index) => ({ at_ms: index * minute, value }));

test("a curve goes from left to right with high values on top", () => {
  expect(curve_of(moments(0, 10), 0, minute, 100, 20)).toEqual({
    path: "M0 20L100 0", low: 0, high: 10, end: { x: 100, y: 0 },
  });
});

test("a reading that was not good breaks the curve", () => {
  expect(curve_of(moments(1, null, 1), 0, 2 * minute, 100, 20)?.path).toBe("M0 10M100 10");
});

test("a silence longer than the agent may keep breaks the curve", () => {
  const silent = [{ at_ms: 0, value: 1 }, { at_ms: 10 * minute, value: 1 }];
  expect(curve_of(silent, 0, 10 * minute, 100, 20)?.path).toBe("M0 10M100 10");
});

test("a curve that stopped has no present end", () => {
  expect(curve_of(moments(1, 1), 0, 30 * minute, 100, 20)?.end).toBeNull();
  expect(curve_of(moments(1, null), 0, minute, 100, 20)?.end).toBeNull();
});

test("noise below two per cent stays flat", () => {
  const path = curve_of(moments(230, 230.1), 0, minute, 100, 20)?.path ?? "";
  expect(path).toBe("M0 10.2L100 9.8");
});

test("nothing good draws nothing", () => {
  expect(curve_of([], 0, 1, 100, 20)).toBeNull();
  expect(curve_of(moments(null), 0, 1, 100, 20)).toBeNull();
});

test("thinning keeps peaks and gaps", () => {
  const many = Array.from({ length: 600 }, (_, index) => ({ at_ms: index, value: index === 250 ? 99 : index % 3 }));
  many[400] = { at_ms: 400, value: null as never };
  const few = thinned(many, 300);
  expect(few.length).toBeLessThan(12);
  expect(few.map((moment) => moment.value)).toContain(99);
  expect(few.map((moment) => moment.value)).toContain(null);
});

test("samples that are not good or not numbers become gaps, unreadable times are dropped", () => {
  const sample = (taken_at: string, value: number | string, quality: "good" | "stale") => ({ taken_at, value, quality });
  expect(
    moments_of([
      sample("2026-11-21T00:01:00.000Z", 2, "stale"),
      sample("2026-11-21T00:00:00.000Z", 1, "good"),
      sample("never", 3, "good"),
    ]).map((moment) => moment.value),
  ).toEqual([1, null]);
});
