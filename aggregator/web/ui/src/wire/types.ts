// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors

// The JSON of REST /api/v1 as the aggregator sends it (described at /api/openapi.json).
// Strings that come from devices and settings are untrusted: only ever put them into text nodes.

export type Quality = "good" | "clock_unsure" | "stale" | "bad" | "unknown";
export type Severity = "critical" | "major" | "minor" | "warning";
export type AlarmState = "normal" | "unacknowledged" | "acknowledged" | "returned_unacknowledged";
export type AgentState = "online" | "offline" | "unknown";
export type Communication =
  | "ok" | "no_answer" | "refused" | "not_authorized" | "corrupt" | "not_connected" | "removed" | "unknown";
export type DeviceClass = "core" | "key" | "general";
export type MailState = "sent" | "waiting" | "failed" | "none";
export type Role = "viewer" | "operator" | "shift_lead" | "administrator" | "auditor";
export type OutputState = "off" | "on" | "failed" | "inhibited" | "unknown" | "on_by_others";
export type OrderTo = "on" | "off" | "automatic";
/**
 * overruled: a reaction or an inhibit counts more just now. failed: not done in time, given up. no_answer: nobody
 * knows whether it was done. ended: it was done; its time is over, or another order took its place.
 */
export type Progress =
  | "sent" | "under_way" | "done" | "overruled" | "refused" | "failed" | "no_answer" | "ended";
export type Value = number | boolean | string | null;

export interface Point {
  id: string;
  site: string;
  agent: string;
  device: string;
  device_name?: string;
  maker?: string;
  model?: string;
  class?: string;
  name: string;
  label_zh?: string;
  label_en?: string;
  /** Null unless the quality is good or clock_unsure: good, but nobody knows exactly when. */
  value: Value;
  last_value?: Value;
  unit?: string;
  unit_symbol?: string;
  state?: string | null;
  state_zh?: string | null;
  quality: Quality;
  quality_reason?: string;
  quality_reason_zh?: string;
  taken_at?: string | null;
  age_s?: number | null;
}

export interface Sample {
  taken_at: string;
  value: Value;
  quality: Quality;
}

export interface Alarm {
  id: number;
  rule: string;
  kind: string;
  /** Whether the device's profile asks for it. */
  origin?: "profile" | "rules";
  severity: Severity;
  state: AlarmState;
  title_zh?: string;
  title_en?: string;
  text_zh?: string;
  text_en?: string;
  site?: string;
  agent?: string;
  device?: string;
  device_name?: string;
  point?: string;
  point_label_zh?: string;
  value?: Value;
  unit?: string;
  unit_symbol?: string;
  limit?: Value;
  raised_at: string;
  cleared_at?: string | null;
  acknowledged_at?: string | null;
  acknowledged_by?: string | null;
  comment?: string | null;
  is_active: boolean;
  mail?: MailState;
}

export interface Device {
  id: string;
  name?: string;
  maker?: string;
  model?: string;
  class?: string;
  /** What the agent's own settings say; null when the agent lets no class be changed. */
  class_configured?: string | null;
  class_wanted?: string | null;
  class_request?: "none" | "pending" | "not_carried_out";
  poll_interval_ms?: number | null;
  /** No device of the room: what the agent tells about itself. */
  is_self?: boolean;
  communication: Communication;
  communication_text?: string;
  since?: string | null;
}

export interface Agent {
  site: string;
  agent: string;
  name?: string;
  state: AgentState;
  since?: string | null;
  version?: string;
  journal?: { head?: number; acknowledged?: number; lost?: number; missing?: number };
  devices?: Device[];
}

export interface Order {
  number: number;
  to: OrderTo;
  lasting_s: number;
  within_s: number;
  by: string;
  comment: string;
  at: string;
  progress: Progress;
  progress_at: string;
  holds_until: string | null;
  /** From the agent or the centre; may be empty. */
  reason: string;
}

/** A siren, beacon, valve or outlet that an agent works. */
export interface Output {
  site: string;
  agent: string;
  output: string;
  state: OutputState;
  /** False while its agent is away: the state is what was known last. */
  is_live: boolean;
  at: string | null;
  order: Order | null;
  /** An order before it that goes on to hold, since the last one was not taken. */
  held?: Order | null;
}

/** What one person wants of an output. */
export interface Wish {
  to: OrderTo;
  lasting_s: number;
  within_s: number;
  comment: string;
}

/** A wish as the server understood it, with what the output was at that moment; nothing is sent by it. */
export interface Selection extends Wish {
  selection: string;
  until: string;
  output: Output;
}

export interface Status {
  version?: string;
  time?: string;
  host_id?: string;
  broker?: { state: "connected" | "unreachable"; since?: string | null };
  counts?: Partial<Record<
    | "agents" | "agents_online" | "devices" | "points" | "points_good"
    | "alarms_open" | "alarms_unacknowledged" | "mails_waiting" | "mails_failed",
    number
  >>;
  rates?: { readings_per_s?: number };
  /** How long the core has said nothing; about a second while it works. */
  core_age_s?: number;
  store?: { state?: "working" | "failing" };
  intake?: { queue?: number; capacity?: number; refused?: number };
}

export interface Session {
  user: string;
  role: Role;
  must_change_password?: boolean;
  has_totp?: boolean;
  expires_at?: string;
}

/** A secret of one-time codes that nobody has confirmed yet. */
export interface PendingTotp {
  secret: string;
  /** "otpauth://…", what the QR code says. */
  uri: string;
  expires_at: string;
}

/** RFC 9457 problem details with the two Chinese members. */
export interface Problem {
  /** "urn:watchroom:problem:" and a word. */
  type?: string;
  title?: string;
  detail?: string;
  title_zh?: string;
  detail_zh?: string;
}
