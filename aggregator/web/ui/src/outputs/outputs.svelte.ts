// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { session } from "../session/session.svelte";
import { clock } from "../status/clock.svelte";
import { by_name } from "../text/format";
import * as client from "../wire/client";
import { CallFailed } from "../wire/client";
import type { Output, Selection, Wish } from "../wire/types";
import { key_of, pause_ms, progressed } from "./switching";

// Two readings that did not come, and the ten seconds a call may take.
const fresh_for_ms = 20_000;

/** The outputs as last read, while somebody looks at the page. */
class Outputs {
  all = $state.raw<readonly Output[]>([]);
  failure = $state.raw<unknown>(null);
  /** The output whose order got on last: it is read out once. */
  news = $state.raw<Output | null>(null);
  #read_at_ms = $state(0);
  /** Grows with every reading and every order, so that an answer that was overtaken is thrown away. */
  #turn = 0;
  #is_watched = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly is_fresh = $derived(this.failure === null && clock.ticks_ms - this.#read_at_ms < fresh_for_ms);

  start(): () => void {
    const on_sight = () => (document.hidden ? this.#stop() : void this.read());
    document.addEventListener("visibilitychange", on_sight);
    this.#is_watched = true;
    void this.read();
    return () => {
      document.removeEventListener("visibilitychange", on_sight);
      this.#is_watched = false;
      this.#stop();
      this.all = [];
      this.failure = this.news = null;
    };
  }

  async read(): Promise<void> {
    this.#stop();
    const turn = this.#turn;
    try {
      const found = await client.outputs();
      if (turn !== this.#turn) return;
      this.#take(found.sort((left, right) => by_name(key_of(left), key_of(right))));
      this.failure = null;
      this.#read_at_ms = performance.now();
    } catch (error) {
      if (turn !== this.#turn) return;
      this.failure = error;
      if (error instanceof CallFailed && error.failure === "unauthorized") return session.lost();
    }
    this.#read_later();
  }

  async select(output: Output, wish: Wish): Promise<Selection> {
    const selection = await client.select_output(output, wish);
    this.#put(selection.output);
    return selection;
  }

  async order(selection: Selection): Promise<void> {
    const order = await client.order_output(selection);
    this.#put({ ...selection.output, order });
  }

  /** What an answer says of one output is newer than any reading that has begun. */
  #put(output: Output): void {
    this.#stop();
    this.#take(this.all.map((old) => (key_of(old) === key_of(output) ? output : old)));
    this.#read_later();
  }

  #take(found: readonly Output[]): void {
    this.news = progressed(this.all, found) ?? this.news;
    this.all = found;
  }

  #read_later(): void {
    if (this.#is_watched && !document.hidden) this.#timer = setTimeout(() => void this.read(), pause_ms(this.all, this.failure));
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#turn++;
  }
}

export const outputs = new Outputs();
