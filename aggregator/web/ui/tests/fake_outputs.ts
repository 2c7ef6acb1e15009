// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Order, Output, Progress, Role, Selection, Wish } from "../src/wire/types";

/** What a route answers: a body, or a refusal with its sentence in both languages. */
export type Told = { status: number; body: object };

const at = (in_s = 0) => new Date(Date.now() + in_s * 1_000).toISOString();
const refuse = (status: number, detail: string, detail_zh: string): Told =>
  ({ status, body: { type: "urn:watchroom:problem:other", status, detail, detail_zh } });
const is_whole = (number: unknown, least: number, most: number) => Number.isInteger(number) && Number(number) >= least && Number(number) <= most;

/** Outputs that are switched in two steps, as the aggregator does it; orders get on when the test says so. */
export class FakeOutputs {
  all: Output[] = [];
  selection_s = 60;
  /** Every order that was sent, as the person would word it. */
  orders: string[] = [];
  selections = 0;
  reads = 0;
  #selections = new Map<string, Selection>();

  /** A room with a siren that is off, a valve that is shut by its reaction and a lamp whose agent is away. */
  furnish(): void {
    this.all = [
      this.#output("room1", "siren"),
      this.#output("room1", "valve", { state: "on" }),
      this.#output("annex", "lamp", { is_live: false, at: at(-3_700) }),
    ];
  }

  add(agent: string, output: string, more: Partial<Output> = {}): void {
    this.all.push(this.#output(agent, output, more));
  }

  change(output: string, more: Partial<Output>): void {
    this.all = this.all.map((one) => (one.output === output ? { ...one, ...more, at: at() } : one));
  }

  /** The last order of an output gets on. */
  get_on(output: string, progress: Progress, more: Partial<Order> = {}): void {
    const order = this.all.find((one) => one.output === output)?.order;
    if (!order) throw new Error(`${output} has no order`);
    this.change(output, { order: { ...order, progress, progress_at: at(), ...more } });
  }

  order(output: string, more: Partial<Order> = {}): void {
    const order: Order = {
      number: 7, to: "on", lasting_s: 600, within_s: 10, by: "li", comment: "季度消防演练", at: at(-30), progress: "done",
      progress_at: at(-29), holds_until: at(570), reason: "", ...more,
    };
    this.change(output, { order });
  }

  /** As after a restart of the aggregator. */
  forget_selections(): void {
    this.#selections.clear();
  }

  /** Null when the path is none of these. */
  answer(method: string, path: string, body: Record<string, unknown>, role: Role): Told | null {
    if (path === "outputs" && method === "GET") {
      this.reads++;
      return { status: 200, body: { outputs: this.all } };
    }
    const asked = /^agents\/([^/]+)\/([^/]+)\/outputs\/([^/]+)\/(selections|orders)$/.exec(path);
    if (!asked || method !== "POST") return null;
    const [site, agent, name] = asked.slice(1, 4).map(decodeURIComponent);
    const output = this.all.find((one) => one.site === site && one.agent === agent && one.output === name);
    if (!output) return refuse(404, "no such output", "没有这个输出");
    if (role !== "shift_lead" && role !== "administrator") return refuse(403, "may not switch outputs", "无权操作输出");
    return asked[4] === "selections" ? this.#select(output, body as unknown as Wish) : this.#send(output, String(body.selection));
  }

  #select(output: Output, wish: Wish): Told {
    const is_sound = ["on", "off", "automatic"].includes(wish.to) && is_whole(wish.lasting_s, 1, 86_400) &&
      is_whole(wish.within_s, 2, 60) && wish.comment.length >= 1 && wish.comment.length <= 500;
    if (!is_sound) return refuse(400, "cannot be read", "请求无法理解");
    const selection = { ...wish, selection: (++this.selections).toString(16).padStart(32, "0"), until: at(this.selection_s), output };
    this.#selections.set(selection.selection, selection);
    return { status: 201, body: selection };
  }

  #send(output: Output, id: string): Told {
    const selection = this.#selections.get(id);
    this.#selections.delete(id);
    if (!selection || selection.output.output !== output.output || Date.parse(selection.until) < Date.now())
      return refuse(409, "the selection has run out", "选定已失效，请重新选定");
    if (selection.output.state !== output.state) return refuse(409, `it is ${output.state} by now`, "输出的状态已经变了，请重新选定");
    const { to, lasting_s, within_s, comment } = selection;
    const order: Order = {
      number: this.orders.length + 8, to, lasting_s, within_s, by: "zhang", comment, at: at(), progress: "sent", progress_at: at(),
      holds_until: null, reason: "",
    };
    this.orders.push([output.agent, output.output, to, lasting_s, within_s, comment].join(" "));
    this.change(output.output, { order });
    return { status: 202, body: order };
  }

  #output(agent: string, output: string, more: Partial<Output> = {}): Output {
    return { site: "hq", agent, output, state: "off", is_live: true, at: at(-2), order: null, ...more };
  }
}
