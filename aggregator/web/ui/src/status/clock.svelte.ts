// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors

/** Time as the page counts it: one tick a second moves every age and every duration. */
class PageClock {
  /** Milliseconds since the page was opened; never jumps when somebody sets the computer's clock. */
  ticks_ms = $state(performance.now());
  /** Milliseconds by which the server's clock is ahead of this computer's. */
  ahead_ms = $state(0);

  readonly server_now = $derived.by(() => {
    void this.ticks_ms;
    return new Date(Date.now() + this.ahead_ms);
  });

  start(): () => void {
    const tick = setInterval(() => (this.ticks_ms = performance.now()), 1_000);
    return () => clearInterval(tick);
  }

  set_by(server_time: string | undefined): void {
    const at = Date.parse(server_time ?? "");
    if (!Number.isNaN(at)) this.ahead_ms = at - Date.now();
  }
}

export const clock = new PageClock();
