// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { by_name } from "../text/format";
import type { Agent, Communication, Device, Point } from "../wire/types";

/** Told by the device's head, so they take no row of their own. */
const told_elsewhere = new Set(["communication.state", "communication.text"]);

export interface DeviceGroup<Cell> {
  key: string;
  site: string;
  agent: string;
  id: string;
  device: Device | null;
  cells: Cell[];
}

export interface AgentGroup<Cell> {
  key: string;
  site: string;
  id: string;
  agent: Agent | null;
  devices: DeviceGroup<Cell>[];
}

/** Serial number, firmware and the like stand below what the device measures. */
const is_about_itself = (point: Point) => point.name.startsWith("device.");

const place_of = (group: DeviceGroup<unknown>) => (group.id === "" ? 2 : group.device?.is_self ? 1 : 0);

interface Addressed {
  readonly point: Point;
}

/**
 * The room as people look for things: agents, their devices, their points, each by name. Devices
 * that never answered have no points but are there all the same; so are points of unknown agents.
 */
export function arrange<Cell extends Addressed>(agents: Iterable<Agent>, cells: Iterable<Cell>): AgentGroup<Cell>[] {
  const groups = new Map<string, AgentGroup<Cell>>();
  const devices = new Map<string, DeviceGroup<Cell>>();

  const group_of = (site: string, id: string): AgentGroup<Cell> => {
    const key = `${site}/${id}`;
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { key, site, id, agent: null, devices: [] }));
    return group;
  };
  const device_of = (site: string, agent: string, id: string): DeviceGroup<Cell> => {
    const key = `${site}/${agent}/${id}`;
    let device = devices.get(key);
    if (!device) {
      devices.set(key, (device = { key, site, agent, id, device: null, cells: [] }));
      group_of(site, agent).devices.push(device);
    }
    return device;
  };

  for (const agent of agents) {
    group_of(agent.site, agent.agent).agent = agent;
    for (const device of agent.devices ?? []) device_of(agent.site, agent.agent, device.id).device = device;
  }
  for (const cell of cells) {
    const { site, agent, device, name } = cell.point;
    const group = device_of(site, agent, device);
    if (!told_elsewhere.has(name)) group.cells.push(cell);
  }

  const sorted = [...groups.values()].sort((left, right) => by_name(left.key, right.key));
  for (const group of sorted) {
    // What the agent tells about itself comes last.
    group.devices.sort((left, right) => place_of(left) - place_of(right) || by_name(left.id, right.id));
    for (const device of group.devices)
      device.cells.sort(
        (left, right) =>
          Number(is_about_itself(left.point)) - Number(is_about_itself(right.point)) ||
          by_name(left.point.name, right.point.name),
      );
  }
  return sorted;
}

const plain = (text: string) => text.toLowerCase().normalize("NFKC");

export const search_words = (query: string): string[] => plain(query).split(/\s+/).filter(Boolean);

/** Every word must be found somewhere. */
export function matches(words: readonly string[], texts: readonly (string | null | undefined)[]): boolean {
  if (!words.length) return true;
  const all = plain(texts.filter(Boolean).join("\n"));
  return words.every((word) => all.includes(word));
}

export function point_texts(point: Point): (string | null | undefined)[] {
  return [
    point.id, point.device_name, point.maker, point.model,
    point.label_zh, point.label_en, point.state_zh, point.state,
  ];
}

export const is_silent = (communication: Communication | undefined) =>
  communication !== undefined && communication !== "ok";

/** The instance names of `input[L2].voltage`: `L2`. */
export function instance_of(name: string): string {
  return [...name.matchAll(/\[([^\]]*)\]/g)].map((found) => found[1]).join(" ");
}

/** The label of each point of one device; labels that would look alike get their instance appended. */
export function labels_of(points: readonly Point[], label_of: (point: Point) => string): Map<string, string> {
  const times = new Map<string, number>();
  for (const point of points) times.set(label_of(point), (times.get(label_of(point)) ?? 0) + 1);
  return new Map(
    points.map((point) => {
      const label = label_of(point);
      const instance = times.get(label) === 1 ? "" : instance_of(point.name);
      return [point.id, label ? `${label} ${instance}`.trimEnd() : point.name];
    }),
  );
}

/**
 * Deals cards into columns, each to the shortest one so far, so that a card keeps its place while
 * values come and go. `height` in any unit.
 */
export function in_columns<Card>(cards: readonly Card[], count: number, height: (card: Card) => number): Card[][] {
  const columns = Array.from({ length: Math.max(1, count) }, () => ({ cards: [] as Card[], height: 0 }));
  for (const card of cards) {
    const shortest = columns.reduce((best, column) => (column.height < best.height ? column : best));
    shortest.cards.push(card);
    shortest.height += height(card);
  }
  return columns.map((column) => column.cards);
}
