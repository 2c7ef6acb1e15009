// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { describe, expect, test } from "vitest";
import { ago_text, by_name, duration_text, exact_duration_text, number_text, time_text, value_text, with_unit } from "./format";
import { say_in, word_or, words } from "./words";

test("numbers keep the digits a person acts on", () => {
  expect([23.14159, 229.83, 12345.678, 0.04567, -3, 50, 1e6].map(number_text)).toEqual([
    "23.14", "229.8", "12345.7", "0.046", "-3", "50", "1000000",
  ]);
});

test("a value that is not there is a dash, never zero", () => {
  for (const value of [null, undefined, "", NaN, Infinity]) expect(value_text(value, "zh")).toBe("—");
  expect(with_unit(null, "°C", "zh")).toBe("—");
  expect(value_text(0, "zh")).toBe("0");
  expect(value_text(false, "zh")).toBe("否");
});

test("a unit follows its number", () => {
  expect(with_unit(23.1, "°C", "zh")).toBe("23.1 °C");
  expect(with_unit(3, "", "zh")).toBe("3");
});

test("ages are rounded down, so that nothing looks older or fresher than it is", () => {
  expect([0.4, 1, 59.9, 119, 120, 7_199, 7_200, 172_800].map((age) => ago_text(age, "zh"))).toEqual([
    "刚刚", "1 秒前", "59 秒前", "119 秒前", "2 分钟前", "119 分钟前", "2 小时前", "2 天前",
  ]);
  expect(ago_text(null, "en")).toBe("");
});

test("durations read as people say them", () => {
  expect([5, 65, 3_660, 90_000].map((time) => duration_text(time, "zh"))).toEqual([
    "5 秒", "1 分钟", "1 小时 1 分", "1 天 1 小时",
  ]);
  expect(duration_text(-3, "en")).toBe("0 s");
});

test("a duration that somebody agrees to is exact", () => {
  expect([1, 60, 90, 3_600, 5_445, 86_400].map((time) => exact_duration_text(time, "zh"))).toEqual([
    "1 秒", "1 分钟", "1 分钟 30 秒", "1 小时", "1 小时 30 分钟 45 秒", "24 小时",
  ]);
  expect(exact_duration_text(0, "en")).toBe("0 s");
});

describe("times", () => {
  const now = new Date(2026, 10, 21, 12, 0, 0);
  const at = (...parts: [number, number, number, number, number, number]) => new Date(...parts).toISOString();
  test("today's need no date, older ones do", () => {
    expect(time_text(at(2026, 10, 21, 9, 5, 7), now)).toBe("09:05:07");
    expect(time_text(at(2026, 10, 20, 9, 5, 7), now)).toBe("11-20 09:05:07");
    expect(time_text(at(2025, 10, 20, 9, 5, 7), now)).toBe("2025-11-20 09:05:07");
  });
  test("nonsense is a dash", () => {
    expect(time_text(null, now)).toBe("—");
    expect(time_text("yesterday", now)).toBe("—");
  });
});

test("outlet 2 comes before outlet 10", () => {
  expect(["outlet[10].current", "outlet[2].current"].sort(by_name)[0]).toBe("outlet[2].current");
});

test("every sentence exists in both languages with the same blanks", () => {
  const blanks = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [word, { zh, en }] of Object.entries(words)) {
    expect(zh, word).not.toBe("");
    expect(blanks(zh), word).toEqual(blanks(en));
  }
});

test("blanks are filled, unknown server words are shown as they came", () => {
  expect(say_in("zh", "show_rest", { n: 3 })).toBe("展开其余 3 个测点");
  expect(word_or("zh", "severity", "critical")).toBe("紧急");
  expect(word_or("zh", "communication", "on_fire")).toBe("on_fire");
  expect(word_or("zh", "severity", undefined)).toBe("");
});
