// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import { CallFailed } from "../wire/client";
import type { Order, Output, Selection } from "../wire/types";
import { is_awaited, is_notable, is_outdated, left_s, most_of, pause_ms, progressed, tone_of } from "./switching";

const order = (more: Partial<Order> = {}): Order => ({
  number: 1, to: "on", lasting_s: 600, within_s: 10, by: "zhang", comment: "test", at: "2026-11-27T00:00:00Z",
  progress: "sent", progress_at: "2026-11-27T00:00:00Z", holds_until: null, reason: "", ...more,
});
const output = (more: Partial<Output> = {}): Output => ({
  site: "hq", agent: "room1", output: "siren", state: "off", is_live: true, at: "2026-11-27T00:00:00Z", order: null, ...more,
});
const failed = (failure: "refused" | "forbidden" | "broken") => new CallFailed(failure, 0, {}, null);

test("an order that is on its way is looked for each second, and nothing else is", () => {
  expect(pause_ms([], null)).toBe(5_000);
  for (const progress of ["sent", "under_way"] as const) expect(pause_ms([output(), output({ order: order({ progress }) })], null)).toBe(1_000);
  for (const progress of ["done", "overruled", "refused", "failed", "no_answer", "ended"] as const) {
    expect(is_awaited(order({ progress }))).toBe(false);
    expect(pause_ms([output({ order: order({ progress }) })], null)).toBe(5_000);
  }
});

test("a server that refuses is not asked every few seconds, one that failed is", () => {
  expect([pause_ms([], failed("refused")), pause_ms([], failed("forbidden")), pause_ms([], failed("broken"))]).toEqual([60_000, 60_000, 5_000]);
});

test("only what was read back as ordered looks good, and what nobody knows looks bad", () => {
  expect((["sent", "done", "overruled", "no_answer", "ended"] as const).map(tone_of)).toEqual(["waiting", "good", "doubtful", "bad", "over"]);
  expect(tone_of("exploded" as never)).toBe("bad");
  expect(tone_of("toString" as never)).toBe("bad");
});

test("an output that is off and had no order of late may be folded away", () => {
  expect(is_notable(output())).toBe(false);
  expect(is_notable(output({ order: order({ progress: "ended" }) }))).toBe(false);
  expect(is_notable(output({ order: order({ progress: "failed" }) }))).toBe(true);
  expect(is_notable(output({ state: "unknown" }))).toBe(true);
});

test("no unit of time lets an order hold for more than a day", () => {
  expect((["unit_second", "unit_minute", "unit_hour"] as const).map(most_of)).toEqual([86_400, 1_440, 24]);
});

test("a selection runs out and never has time left that nobody gave it", () => {
  const now = new Date("2026-11-27T00:00:00Z");
  expect(left_s("2026-11-27T00:01:00.900Z", now)).toBe(60);
  expect(left_s("2026-11-27T00:00:00.900Z", now)).toBe(0);
  expect(left_s("2026-11-26T00:00:00Z", now)).toBe(0);
  expect(left_s("soon", now)).toBe(0);
});

test("a selection is outdated by another state, not by another reading of the same", () => {
  const selection: Selection = { selection: "ab", until: "", output: output(), to: "on", lasting_s: 1, within_s: 2, comment: "x" };
  expect(is_outdated(selection, output({ at: "2026-11-27T00:00:05Z" }))).toBe(false);
  expect(is_outdated(selection, output({ state: "on" }))).toBe(true);
});

test("an order that got on is news, one that was there when the page opened is none", () => {
  const before = [output({ order: order() }), output({ output: "lamp" })];
  expect(progressed([], before)).toBe(null);
  expect(progressed(before, before)).toBe(null);
  expect(progressed(before, [output({ order: order({ progress: "done" }) })])?.order?.progress).toBe("done");
  expect(progressed(before, [output({ output: "lamp", order: order() })])?.output).toBe("lamp");
  expect(progressed(before, [output({ order: order({ number: 2 }) })])?.order?.number).toBe(2);
});
