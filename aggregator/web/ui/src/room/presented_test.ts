// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import type { Link } from "../wire/event_stream";
import type { Point } from "../wire/types";
import { age_s_of, is_measured, last_seen, presence_of } from "./presented";

const point = (more: Partial<Point> = {}): Point => ({
  id: "hq/room1/th1/ambient.temperature", site: "hq", agent: "room1", device: "th1",
  name: "ambient.temperature", value: 23.1, quality: "good", age_s: 2, ...more,
});
const live: Link = { state: "live" };
const lost: Link = { state: "lost", since: 1_000, retry_at: 2_000 };

test("a good value on a live feed stands", () => {
  expect(presence_of(point(), live, 0)).toBe("live");
});

test("a value without good quality is absent, whatever it carries", () => {
  for (const quality of ["stale", "bad", "unknown"] as const)
    expect(presence_of(point({ quality, value: 23.1 }), live, 0)).toBe("absent");
});

test("a value whose time is doubtful stands", () => {
  expect(presence_of(point({ quality: "clock_unsure" }), live, 0)).toBe("live");
  expect(last_seen(point({ quality: "clock_unsure" }))).toBe(23.1);
});

test("losing the feed freezes values at once and removes them after a minute", () => {
  expect(presence_of(point(), lost, 1_500)).toBe("frozen");
  expect(presence_of(point(), lost, 61_000)).toBe("frozen");
  expect(presence_of(point(), lost, 61_001)).toBe("absent");
  expect(presence_of(point(), { state: "connecting" }, 1_500)).toBe("frozen");
});

test("ages go on counting while nothing is heard", () => {
  expect(age_s_of({ point: point(), heard_at_ms: 10_000 }, 13_500)).toBe(5.5);
  expect(age_s_of({ point: point({ age_s: null }), heard_at_ms: 0 }, 9)).toBeNull();
});

test("the last seen value of a stale point is what the server kept", () => {
  expect(last_seen(point({ quality: "stale", value: null, last_value: 22 }))).toBe(22);
  expect(last_seen(point({ quality: "stale", value: null }))).toBeNull();
});

test("a state code is no measurement", () => {
  expect(is_measured(point())).toBe(true);
  expect(is_measured(point({ value: 1, state: "wet" }))).toBe(false);
  expect(is_measured(point({ value: "abc" }))).toBe(false);
});
