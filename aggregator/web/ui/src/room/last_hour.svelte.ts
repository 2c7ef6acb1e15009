// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { clock } from "../status/clock.svelte";
import { samples_since } from "../wire/client";
import { moments_of, type Moment } from "./spark_path";

const hour_ms = 3_600_000;
const at_once = 3;
const most_samples = 2_000;

/** Browsers open six connections to one server, one is the live feed: curves take turns. */
class Turns {
  #free = at_once;
  #waiting: (() => void)[] = [];

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

const turns = new Turns();

/** The last hour of one point; null when the server could not tell. */
export async function last_hour(id: string, is_still_wanted: () => boolean): Promise<Moment[] | null> {
  return turns.take(async () => {
    if (!is_still_wanted()) return null;
    try {
      const since = new Date(clock.server_now.getTime() - hour_ms);
      return moments_of(await samples_since(id, since, most_samples));
    } catch {
      return null;
    }
  });
}

/** Calls back when the element comes into or goes out of sight; one observer serves all. */
const sights = new WeakMap<Element, (is_seen: boolean) => void>();
let observer: IntersectionObserver | null = null;

export function on_sight(element: Element, tell: (is_seen: boolean) => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => entries.forEach((entry) => sights.get(entry.target)?.(entry.isIntersecting)),
    { rootMargin: "100px" },
  );
  sights.set(element, tell);
  observer.observe(element);
  return () => {
    observer?.unobserve(element);
    sights.delete(element);
  };
}
