// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import { qr_path } from "./qr_path";

const uri = "otpauth://totp/Watchroom:li?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Watchroom&algorithm=SHA1&digits=6&period=30";

test("TheThreeFindersStandInsideAQuietBorderOfFour", () => {
  const { size, path } = qr_path(uri);
  const dark = new Set([...path.matchAll(/M(\d+) (\d+)h/g)].map(([, x, y]) => `${x} ${y}`));
  const is_dark = (x: number, y: number) => dark.has(`${x} ${y}`);
  expect((size - 8 - 17) % 4).toBe(0); // a version's side is 17 + 4 n
  const last = size - 4 - 7;
  for (const [left, top] of [[4, 4], [last, 4], [4, last]] as const) {
    const row = (y: number) => Array.from({ length: 7 }, (_, x) => (is_dark(left + x, top + y) ? "#" : ".")).join("");
    expect([0, 1, 2, 3].map(row)).toEqual(["#######", "#.....#", "#.###.#", "#.###.#"]);
  }
  for (const place of dark) {
    const [x = 0, y = 0] = place.split(" ").map(Number);
    expect(Math.min(x, y) >= 4 && Math.max(x, y) < size - 4).toBe(true);
  }
});

test("AnotherSecretIsAnotherPicture", () => {
  expect(qr_path(uri).path).not.toBe(qr_path(uri.replace("GEZD", "GEZE")).path);
});
