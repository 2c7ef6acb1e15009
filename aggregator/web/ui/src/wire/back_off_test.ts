// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import { wait_before } from "./back_off";

test("the wait grows and stays within its bounds", () => {
  expect(wait_before(0, 0)).toBe(500);
  expect(wait_before(1, 0)).toBe(1_000);
  for (let attempt = 0; attempt < 2_000; attempt += 7) {
    expect(wait_before(attempt, 0.999)).toBeLessThanOrEqual(15_000);
    expect(wait_before(attempt, 0)).toBeGreaterThanOrEqual(500);
  }
});
