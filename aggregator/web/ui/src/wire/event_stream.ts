// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { wait_before } from "./back_off";
import { api, failed_call } from "./client";
import { EventText } from "./event_text";

export type Link =
  | { state: "connecting" }
  | { state: "live" }
  /** `since` and `retry_at` in Date.now() milliseconds. */
  | { state: "lost"; since: number; retry_at: number };

export interface Listener {
  /** `is_full`: the first event of this name on this connection, i.e. the whole set. */
  on_event(name: string, data: unknown, is_full: boolean): void;
  on_link(link: Link): void;
  on_session_lost(): void;
}

// The server writes a comment every 15 s; two missed ones and a bit mean that nobody is there.
const silence_ms = 35_000;

/**
 * The live feed, GET /events. Read with fetch and not with EventSource, because EventSource shows
 * neither the keep-alive comments nor the status code: a pulled cable would look live for minutes,
 * and an ended session like a dead server. Wall-clock time is used on purpose, so that a computer
 * that slept notices it at once.
 */
export class EventStream {
  #abort: AbortController | null = null;
  #watch: ReturnType<typeof setInterval> | null = null;
  #heard_at = 0;
  #attempt = 0;
  #is_live = false;
  #lost_since: number | null = null;
  #retry_at = 0;

  constructor(private readonly listener: Listener) {}

  start(): void {
    if (this.#watch !== null) return;
    this.#watch = setInterval(() => this.#look(), 500);
    addEventListener("online", this.retry_now);
    addEventListener("offline", this.#cut);
    this.listener.on_link({ state: "connecting" });
    void this.#connect();
  }

  stop(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
    removeEventListener("online", this.retry_now);
    removeEventListener("offline", this.#cut);
    this.#abort?.abort();
    this.#abort = null;
  }

  retry_now = (): void => {
    if (this.#abort === null && this.#watch !== null) void this.#connect();
  };

  #cut = (): void => this.#abort?.abort();

  #look(): void {
    const now = Date.now();
    if (this.#abort === null) {
      if (now >= this.#retry_at) void this.#connect();
    } else if (now - this.#heard_at > silence_ms) {
      this.#abort.abort();
    }
  }

  async #connect(): Promise<void> {
    const abort = (this.#abort = new AbortController());
    this.#heard_at = Date.now();
    try {
      const response = await fetch(`${api}/events`, {
        credentials: "same-origin",
        cache: "no-store",
        headers: { Accept: "text/event-stream" },
        signal: abort.signal,
      });
      if (!response.ok || !response.body) throw await failed_call(response);
      await this.#read(response.body, abort);
    } catch (error) {
      const is_refused = error instanceof Error && "failure" in error && error.failure === "unauthorized";
      if (is_refused && this.#abort === abort) {
        this.stop();
        this.listener.on_session_lost();
        return;
      }
    }
    if (this.#abort === abort) this.#lose();
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const text = new EventText();
    const seen = new Set<string>();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#abort !== abort) return;
      this.#heard_at = Date.now();
      for (const event of text.take(decoder.decode(value, { stream: true }))) {
        // Malformed JSON ends the connection: the next one starts from a full set again.
        const data: unknown = JSON.parse(event.data);
        this.listener.on_event(event.name, data, !seen.has(event.name));
        seen.add(event.name);
        this.#live();
      }
    }
  }

  #live(): void {
    if (this.#is_live) return;
    this.#is_live = true;
    this.#attempt = 0;
    this.#lost_since = null;
    this.listener.on_link({ state: "live" });
  }

  #lose(): void {
    const now = Date.now();
    this.#abort?.abort();
    this.#abort = null;
    this.#is_live = false;
    this.#lost_since ??= now;
    this.#retry_at = now + wait_before(this.#attempt++, Math.random());
    this.listener.on_link({ state: "lost", since: this.#lost_since, retry_at: this.#retry_at });
  }
}
