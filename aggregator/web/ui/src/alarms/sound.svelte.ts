// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Severity } from "../wire/types";
import { patterns, play } from "./beep";

const key = "watchroom.sound";

/**
 * off: nobody asked for it. on: it may sound. blocked: it was asked for before, but the browser
 * wants a click on this page first.
 */
type Mode = "off" | "on" | "blocked";

class Sound {
  mode = $state<Mode>("off");
  #audio: AudioContext | null = null;
  #wanted: Severity | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** Any click or key serves as the gesture when the user had it on the last time. */
  wake(): () => void {
    let was_on = false;
    try {
      was_on = localStorage.getItem(key) === "on";
    } catch {
      // then it starts off
    }
    if (!was_on) return () => {};
    this.mode = "blocked";
    const resume = (event: Event) => {
      // The switch itself decides what a click on it means.
      const is_switch = event.target instanceof Element && event.target.closest("[data-sound-switch]");
      if (this.mode === "blocked" && !is_switch) void this.#turn_on();
    };
    addEventListener("pointerdown", resume, { once: true });
    addEventListener("keydown", resume, { once: true });
    return () => {
      removeEventListener("pointerdown", resume);
      removeEventListener("keydown", resume);
      this.want(null);
    };
  }

  async toggle(): Promise<void> {
    if (this.mode === "on") this.#remember("off");
    else await this.#turn_on();
    this.#schedule();
  }

  /** The severity to sound until told otherwise; null for silence. */
  want(severity: Severity | null): void {
    if (severity === this.#wanted) return;
    this.#wanted = severity;
    this.#schedule();
  }

  async #turn_on(): Promise<void> {
    this.#audio ??= new AudioContext();
    await this.#audio.resume();
    if (this.#audio.state !== "running") return;
    this.#remember("on");
    // Heard at once, so that nobody finds out in an emergency that the loudspeaker is off.
    play(this.#audio, patterns.warning);
    this.#schedule();
  }

  #remember(mode: "on" | "off"): void {
    this.mode = mode;
    try {
      localStorage.setItem(key, mode);
    } catch {
      // only the memory is lost
    }
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.mode !== "on" || !this.#wanted || !this.#audio) return;
    const pattern = patterns[this.#wanted];
    play(this.#audio, pattern);
    this.#timer = setTimeout(() => this.#schedule(), pattern.again_s * 1_000);
  }
}

export const sound = new Sound();
