// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import { EventText } from "./event_text";

test("an event arrives whole", () => {
  expect(new EventText().take('event: status\ndata: {"a":1}\n\n')).toEqual([
    { name: "status", data: '{"a":1}' },
  ]);
});

test("an event cut anywhere still arrives once", () => {
  const whole = 'event: points\r\ndata: {"points":[]}\r\n\r\n';
  for (let cut = 1; cut < whole.length; cut++) {
    const text = new EventText();
    const events = [...text.take(whole.slice(0, cut)), ...text.take(whole.slice(cut))];
    expect(events).toEqual([{ name: "points", data: '{"points":[]}' }]);
  }
});

test("keep-alive comments and blank lines are not events", () => {
  expect(new EventText().take(": alive\n\n:\n\n\n")).toEqual([]);
});

test("data of several lines is joined", () => {
  expect(new EventText().take("data: one\ndata:two\n\n")).toEqual([{ name: "message", data: "one\ntwo" }]);
});

test("the name of one event does not stick to the next", () => {
  const events = new EventText().take("event: agents\ndata: 1\n\ndata: 2\n\n");
  expect(events.map((event) => event.name)).toEqual(["agents", "message"]);
});
