// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Alarm, Severity } from "../wire/types";

export const severities: readonly Severity[] = ["critical", "major", "minor", "warning"];

/** 0 is worst. A severity this page has not heard of counts as the worst: better loud than lost. */
export const rank = (alarm: Alarm): number => Math.max(0, severities.indexOf(alarm.severity));

export const is_open = (alarm: Alarm): boolean => alarm.state !== "normal";

export const is_unacknowledged = (alarm: Alarm): boolean =>
  alarm.state === "unacknowledged" || alarm.state === "returned_unacknowledged";

const time = (alarm: Alarm) => Date.parse(alarm.raised_at) || 0;

/** Unacknowledged first, then the worst, then the latest. */
export function most_urgent_first(left: Alarm, right: Alarm): number {
  return (
    Number(is_unacknowledged(right)) - Number(is_unacknowledged(left)) ||
    rank(left) - rank(right) ||
    time(right) - time(left) ||
    right.id - left.id
  );
}

export const latest_first = (left: Alarm, right: Alarm): number => time(right) - time(left) || right.id - left.id;

export const point_id_of = (alarm: Alarm): string =>
  [alarm.site ?? "", alarm.agent ?? "", alarm.device ?? "", alarm.point ?? ""].join("/");

export const device_key_of = (alarm: Alarm): string =>
  [alarm.site ?? "", alarm.agent ?? "", alarm.device ?? ""].join("/");

/** The worst alarm of each key that is still there; one that has returned marks nothing. */
export function worst_by(alarms: readonly Alarm[], key: (alarm: Alarm) => string): Map<string, Alarm> {
  const worst = new Map<string, Alarm>();
  for (const alarm of alarms) {
    if (!alarm.is_active) continue;
    const rival = worst.get(key(alarm));
    if (!rival || rank(alarm) < rank(rival)) worst.set(key(alarm), alarm);
  }
  return worst;
}
