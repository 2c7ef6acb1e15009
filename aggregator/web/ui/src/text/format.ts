// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Value } from "../wire/types";
import { say_in, type Language } from "./words";

export const nothing = "—";

/** Enough digits to act on, none that only flicker: four significant ones at most, integers whole. */
export function number_text(number: number): string {
  if (!Number.isFinite(number)) return nothing;
  const size = Math.abs(number);
  if (Number.isInteger(number) || size >= 1e15) return String(number);
  const digits = size >= 1000 ? 1 : size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.001 ? 3 : 6;
  return String(Number(number.toFixed(digits)));
}

export function value_text(value: Value | undefined, language: Language): string {
  if (value === null || value === undefined || value === "") return nothing;
  if (typeof value === "number") return number_text(value);
  if (typeof value === "boolean") return say_in(language, value ? "yes" : "no");
  return String(value);
}

export function with_unit(value: Value | undefined, symbol: string | undefined, language: Language): string {
  const text = value_text(value, language);
  return symbol && text !== nothing ? `${text} ${symbol}` : text;
}

export function ago_text(age_s: number | null, language: Language): string {
  if (age_s === null || !Number.isFinite(age_s)) return "";
  if (age_s < 1) return say_in(language, "just_now");
  if (age_s < 120) return say_in(language, "seconds_ago", { n: Math.floor(age_s) });
  if (age_s < 7_200) return say_in(language, "minutes_ago", { n: Math.floor(age_s / 60) });
  if (age_s < 172_800) return say_in(language, "hours_ago", { n: Math.floor(age_s / 3_600) });
  return say_in(language, "days_ago", { n: Math.floor(age_s / 86_400) });
}

export function duration_text(seconds: number, language: Language): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return say_in(language, "seconds", { n: whole });
  if (whole < 3_600) return say_in(language, "minutes", { n: Math.floor(whole / 60) });
  const [step, word, part] = whole < 86_400 ? ([3_600, "hours", 60] as const) : ([86_400, "days", 3_600] as const);
  return say_in(language, word, { n: Math.floor(whole / step), m: Math.floor((whole % step) / part) });
}

/** To the second, for what somebody is to agree to. */
export function exact_duration_text(seconds: number, language: Language): string {
  const parts = [
    ["whole_hours", Math.floor(seconds / 3_600)],
    ["minutes", Math.floor((seconds % 3_600) / 60)],
    ["seconds", seconds % 60],
  ] as const;
  const told = parts.filter(([, n]) => n > 0).map(([word, n]) => say_in(language, word, { n }));
  return told.join(" ") || say_in(language, "seconds", { n: 0 });
}

const two = (number: number) => String(number).padStart(2, "0");

export const time_of_day = (at: Date) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

export const full_time = (at: Date) =>
  `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time_of_day(at)}`;

/** Local time; today's without the date, another year's with the year. */
export function time_text(rfc3339: string | null | undefined, now: Date): string {
  const at = new Date(rfc3339 ?? NaN);
  if (Number.isNaN(at.getTime())) return nothing;
  if (at.getFullYear() !== now.getFullYear()) return full_time(at);
  const is_today = at.getMonth() === now.getMonth() && at.getDate() === now.getDate();
  return is_today ? time_of_day(at) : full_time(at).slice(5);
}

/** Names as people count: outlet 2 before outlet 10. */
const collator = new Intl.Collator("zh-CN", { numeric: true, sensitivity: "base" });
export const by_name = (left: string, right: string) => collator.compare(left, right);
