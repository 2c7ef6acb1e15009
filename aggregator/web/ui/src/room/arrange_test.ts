// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import type { Agent, Point } from "../wire/types";
import { arrange, in_columns, labels_of, matches, point_texts, search_words } from "./arrange";

const point = (id: string, more: Partial<Point> = {}): { point: Point } => {
  const [site = "", agent = "", device = "", name = ""] = id.split("/");
  return { point: { id, site, agent, device, name, value: 1, quality: "good", ...more } };
};
const agent = (site: string, id: string, devices: string[] = []): Agent => ({
  site, agent: id, state: "online",
  devices: devices.map((device) => ({ id: device, communication: "ok" })),
});

test("points are grouped by agent and device, in the order people count", () => {
  const groups = arrange(
    [agent("hq", "room2"), agent("hq", "room1")],
    ["hq/room1/pdu1/outlet[10].current", "hq/room1/pdu1/outlet[2].current", "hq/room2/leak1/leak.state"].map((id) => point(id)),
  );
  expect(groups.map((group) => group.id)).toEqual(["room1", "room2"]);
  expect(groups[0]?.devices[0]?.cells.map((cell) => cell.point.name)).toEqual(["outlet[2].current", "outlet[10].current"]);
});

test("a device that never answered is shown although it has no point", () => {
  const groups = arrange([agent("hq", "room1", ["ups1"])], []);
  expect(groups[0]?.devices.map((device) => device.id)).toEqual(["ups1"]);
});

test("points of an agent that was not announced are shown all the same", () => {
  expect(arrange([], [point("hq/stranger/x/leak.state")])[0]?.agent).toBeNull();
});

test("the agent's own metrics come last", () => {
  const groups = arrange([], [point("hq/room1//journal.head"), point("hq/room1/ups1/load")]);
  expect(groups[0]?.devices.map((device) => device.id)).toEqual(["ups1", ""]);
});

test("the device that is the agent itself stands behind the room's, whatever its name", () => {
  const with_self = agent("hq", "room1", ["self", "ups1"]);
  with_self.devices![0]!.is_self = true;
  expect(arrange([with_self], [])[0]?.devices.map((device) => device.id)).toEqual(["ups1", "self"]);
});

test("what a device tells about itself stands below what it measures", () => {
  const groups = arrange([], [point("hq/room1/ups1/device.serial"), point("hq/room1/ups1/ups.mode")]);
  expect(groups[0]?.devices[0]?.cells.map((cell) => cell.point.name)).toEqual(["ups.mode", "device.serial"]);
});

test("communication has no row of its own", () => {
  const groups = arrange([], [point("hq/room1/ups1/communication.state"), point("hq/room1/ups1/load")]);
  expect(groups[0]?.devices[0]?.cells).toHaveLength(1);
});

test("every search word must be found, in any case and width", () => {
  const texts = point_texts(point("hq/room1/leak1/leak.state", { device_name: "北侧水浸", maker: "RLE" }).point);
  expect(matches(search_words("北侧 rle"), texts)).toBe(true);
  expect(matches(search_words("ＲＬＥ"), texts)).toBe(true);
  expect(matches(search_words("北侧 ups"), texts)).toBe(false);
  expect(matches(search_words("   "), texts)).toBe(true);
});

test("labels that would look alike get their instance, others stay as they are", () => {
  const points = [
    point("hq/r/d/outlet[1].current", { label_zh: "插座电流" }),
    point("hq/r/d/outlet[2].current", { label_zh: "插座电流" }),
    point("hq/r/d/contact[1].state", { label_zh: "前门" }),
    point("hq/r/d/contact[2].state"),
  ].map((cell) => cell.point);
  expect([...labels_of(points, (one) => one.label_zh ?? "").values()]).toEqual([
    "插座电流 1", "插座电流 2", "前门", "contact[2].state",
  ]);
});

test("cards go to the shortest column and keep their order in it", () => {
  expect(in_columns([5, 1, 1, 1, 4], 2, (height) => height)).toEqual([[5], [1, 1, 1, 4]]);
  expect(in_columns([1], 3, () => 1)).toEqual([[1], [], []]);
  expect(in_columns([1], 0, () => 1)).toEqual([[1]]);
});
