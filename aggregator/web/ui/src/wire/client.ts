// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type {
  Alarm, Device, DeviceClass, Order, Output, PendingTotp, Problem, Sample, Selection, Session, Wish,
} from "./types";

export const api = "api/v1";
const answer_within_ms = 10_000;

/**
 * Why a call brought nothing: `unreachable` = no answer at all; `broken` = the server failed;
 * `refused` = it understood and said no.
 */
export type Failure = "unreachable" | "unauthorized" | "forbidden" | "throttled" | "refused" | "broken";

export class CallFailed extends Error {
  constructor(
    readonly failure: Failure,
    readonly status: number,
    readonly problem: Problem,
    readonly retry_after_s: number | null,
  ) {
    super(`${failure} (${status}) ${problem.detail ?? ""}`);
  }

  /** The last word of the problem's type: "code_needed", "wrong_password". */
  get reason(): string {
    return String(this.problem.type ?? "").split(":").at(-1) ?? "";
  }
}

export function failure_of(status: number): Failure {
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 429) return "throttled";
  return status >= 500 || status < 400 ? "broken" : "refused";
}

/** Retry-After in seconds (RFC 9110 section 10.2.3); the date form is not used by our server. */
export function retry_after(header: string | null): number | null {
  const seconds = header === null ? NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : null;
}

export async function failed_call(response: Response): Promise<CallFailed> {
  const problem = await response.json().catch(() => ({}));
  const wait = retry_after(response.headers.get("Retry-After"));
  return new CallFailed(failure_of(response.status), response.status, problem ?? {}, wait);
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`${api}/${path}`, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(answer_within_ms),
      ...(body === undefined
        ? {}
        : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch {
    throw new CallFailed("unreachable", 0, {}, null);
  }
  if (!response.ok) throw await failed_call(response);
  try {
    return (response.status === 204 ? undefined : await response.json()) as T;
  } catch {
    throw new CallFailed("broken", response.status, {}, null);
  }
}

/** `code`: the one-time code; empty: none. */
export const log_in = (name: string, password: string, code: string) =>
  call<Session>("POST", "session", code === "" ? { name, password } : { name, password, code });

export const change_password = (before: string, after: string) =>
  call<Session>("PUT", "session/password", { old: before, new: after });

/** First step of two: nothing is asked for until the secret is confirmed. */
export const begin_totp = () => call<PendingTotp>("POST", "session/totp");

export const confirm_totp = (password: string, code: string) =>
  call<Session>("PUT", "session/totp", { password, code });

export const stop_totp = (password: string, code: string) =>
  call<Session>("DELETE", "session/totp", { password, code });

export const who_am_i = () => call<Session>("GET", "session");

export async function log_out(): Promise<void> {
  try {
    await call<unknown>("DELETE", "session");
  } catch (error) {
    // A session that is already gone is what was wanted.
    if (!(error instanceof CallFailed && error.failure === "unauthorized")) throw error;
  }
}

export const acknowledge = (id: number, comment: string) =>
  call<Alarm>("POST", `alarms/${id}/acknowledge`, { comment });

export const set_class = (site: string, agent: string, device: string, wanted: DeviceClass) =>
  call<Device>("PUT", `devices/${[site, agent, device].map(encodeURIComponent).join("/")}/class`, { class: wanted });

export const outputs = async () => (await call<{ outputs?: Output[] }>("GET", "outputs")).outputs ?? [];

const output_path = ({ site, agent, output }: Output) =>
  `agents/${[site, agent].map(encodeURIComponent).join("/")}/outputs/${encodeURIComponent(output)}`;

/** First step of two: nothing is sent to the agent. */
export const select_output = (output: Output, wish: Wish) =>
  call<Selection>("POST", `${output_path(output)}/selections`, wish);

export const order_output = ({ output, selection }: Selection) =>
  call<Order>("POST", `${output_path(output)}/orders`, { selection });

export const past_alarms = async (limit: number) =>
  (await call<{ alarms?: Alarm[] }>("GET", `alarms?state=all&limit=${limit}`)).alarms ?? [];

export async function samples_since(id: string, since: Date, limit: number): Promise<Sample[]> {
  const query = new URLSearchParams({ id, since: since.toISOString(), limit: String(limit) });
  return (await call<{ samples?: Sample[] }>("GET", `points/samples?${query}`)).samples ?? [];
}
