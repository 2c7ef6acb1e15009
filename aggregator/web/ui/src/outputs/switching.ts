// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Word } from "../text/words";
import { CallFailed } from "../wire/client";
import type { Order, OrderTo, Output, Progress, Selection } from "../wire/types";

export const key_of = (output: Output): string => [output.site, output.agent, output.output].join("/");

/** Whether something will become of the order without anybody's doing. */
export const is_awaited = (order: Order | null): boolean =>
  order !== null && (order.progress === "sent" || order.progress === "under_way");

/** One that is worth a look wherever it stands in a long list. */
export const is_notable = (output: Output): boolean =>
  output.state !== "off" || (output.order !== null && output.order.progress !== "ended");

const calm_pause_ms = 5_000;
const awaited_pause_ms = 1_000;
const refused_pause_ms = 60_000;

/** A server that has no outputs, or shows them to others only, need not refuse every few seconds. */
export function pause_ms(outputs: readonly Output[], failure: unknown): number {
  if (failure instanceof CallFailed && (failure.failure === "refused" || failure.failure === "forbidden"))
    return refused_pause_ms;
  return outputs.some((output) => is_awaited(output.order)) ? awaited_pause_ms : calm_pause_ms;
}

export type Tone = "waiting" | "good" | "doubtful" | "bad" | "over";

const tones: Record<Progress, Tone> = {
  sent: "waiting", under_way: "waiting", done: "good", overruled: "doubtful",
  refused: "bad", failed: "bad", no_answer: "bad", ended: "over",
};

/** Of a progress this page has not heard of nobody knows what it means: better loud than lost. */
export const tone_of = (progress: Progress): Tone => (Object.hasOwn(tones, progress) ? tones[progress] : "bad");

export const time_units = { unit_second: 1, unit_minute: 60, unit_hour: 3_600 } as const satisfies Partial<Record<Word, number>>;
export type TimeUnit = keyof typeof time_units;

const longest_s = 86_400;
export const most_of = (unit: TimeUnit): number => longest_s / time_units[unit];

/** What may count more than the order, to be known before it is sent. */
export const overruled_by: Record<OrderTo, Word | null> = { on: "overrules_on", off: "overrules_off", automatic: null };

/** Whole seconds that are left for sure, never negative. An end that cannot be read has been reached. */
export const left_s = (until: string, now: Date): number =>
  Math.max(0, Math.floor((Date.parse(until) - now.getTime()) / 1_000)) || 0;

/** The output is no longer what the person was shown. */
export const is_outdated = (selection: Selection, now: Output): boolean => selection.output.state !== now.state;

/** An output whose order has got on since it was last heard of; one that is first heard of is no news. */
export function progressed(before: readonly Output[], now: readonly Output[]): Output | null {
  const known = new Map(before.map((output) => [key_of(output), output.order]));
  const has_progressed = (output: Output) => {
    const old = known.get(key_of(output));
    if (old === undefined || output.order === null) return false;
    return old?.number !== output.order.number || old.progress !== output.order.progress;
  };
  return now.find(has_progressed) ?? null;
}
