// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors

const first_ms = 1_000;
const most_ms = 15_000;

/** Doubles up to 15 s. `luck` in [0, 1) spreads the browsers of a whole site after a restart. */
export function wait_before(attempt: number, luck: number): number {
  const full = Math.min(most_ms, first_ms * 2 ** Math.min(attempt, 10));
  return full * (0.5 + luck / 2);
}
