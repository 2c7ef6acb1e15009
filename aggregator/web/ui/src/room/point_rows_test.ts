// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { expect, test } from "vitest";
import { shown_rows } from "./point_rows";

const rows = Array.from({ length: 40 }, (_, index) => index);

test("a long device is folded, but nothing abnormal is folded away", () => {
  expect(shown_rows(rows, false, (row) => row === 33)).toEqual([...rows.slice(0, 12), 33]);
});

test("a device with a few rows more is not folded", () => {
  expect(shown_rows(rows.slice(0, 14), false, () => false)).toHaveLength(14);
});

test("an unfolded device shows everything in place", () => {
  expect(shown_rows(rows, true, () => false)).toEqual(rows);
});
