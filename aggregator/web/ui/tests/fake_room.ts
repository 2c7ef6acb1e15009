// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import type { Agent, Alarm, Device, Point, Quality, Sample, Severity } from "../src/wire/types";

// An invented room for the browser test. It never runs as part of the product.

const names: Record<string, [device: string, maker: string, model: string, rank: string]> = {
  th1: ["冷通道 1 温湿度", "Acme", "TH-2", "core"],
  th2: ["热通道 1 温湿度", "Acme", "TH-2", "key"],
  leak1: ["北侧水浸", "RLE", "LD2000", "core"],
  meter1: ["总配电柜电表", "Acme", "PM-3", "key"],
  ups1: ["UPS A", "Acme", "UPS-MIB", "core"],
  ups2: ["UPS B", "Acme", "UPS-MIB", "core"],
  gas1: ["七氟丙烷钢瓶组", "Acme", "PT-4", "core"],
  rpdu1: ["机柜 A03 PDU", "Acme", "rPDU-24", "general"],
  contact1: ["门禁与烟感", "Acme", "DI-8", "key"],
};

const ok: [string, string] = ["ok", ""];
const lines: Record<string, [string, string]> = {
  ups2: ["no_answer", "no answer: off, unreachable or wrong community"],
};

type Row = [address: string, zh: string, en: string, value: number | boolean | string, unit?: string, symbol?: string, state?: [zh: string, en: string]];

const rows: Row[] = [
  ["room1/th1/ambient.temperature", "环境温度", "Ambient temperature", 23.4, "celsius", "°C"],
  ["room1/th1/ambient.humidity", "环境湿度", "Ambient humidity", 45.2, "percent_rh", "%RH"],
  ["room1/th2/ambient.temperature", "环境温度", "Ambient temperature", 33.8, "celsius", "°C"],
  ["room1/th2/ambient.humidity", "环境湿度", "Ambient humidity", 31, "percent_rh", "%RH"],
  ["room1/leak1/leak.state", "水浸状态", "Leak state", 1, "", "", ["有水", "wet"]],
  ["room1/leak1/leak.distance", "漏水位置", "Leak distance", 12.5, "metre", "m"],
  ...["L1", "L2", "L3"].flatMap((phase, index): Row[] => [
    [`room1/meter1/meter[${phase}].voltage`, "电压", "Voltage", 229.8 + index, "volt", "V"],
    [`room1/meter1/meter[${phase}].current`, "电流", "Current", 41.27 - index * 3, "ampere", "A"],
  ]),
  ["room1/meter1/meter.frequency", "频率", "Frequency", 50.01, "hertz", "Hz"],
  ["room1/meter1/meter.energy", "总电能", "Total energy", 182734.6, "kilowatt_hour", "kWh"],
  ["room1/ups1/ups.mode", "UPS 运行模式", "UPS mode", 3, "", "", ["市电供电", "on mains"]],
  ["room1/ups1/battery.charge", "电池电量", "Battery charge", 100, "percent", "%"],
  ["room1/ups1/battery.runtime", "后备时间", "Runtime", 47, "minute", "min"],
  ["room1/ups1/output.load", "输出负载", "Output load", 38, "percent", "%"],
  ["room1/gas1/gas_cylinder[1].pressure", "钢瓶压力", "Cylinder pressure", 4.21, "megapascal", "MPa"],
  ["room1/gas1/gas_cylinder[2].pressure", "钢瓶压力", "Cylinder pressure", 4.18, "megapascal", "MPa"],
  ["room1/gas1/gas_cylinder[3].pressure", "钢瓶压力", "Cylinder pressure", 3.62, "megapascal", "MPa"],
  ["room1/contact1/contact[1].state", "一号门", "Door 1", 0, "", "", ["关闭", "closed"]],
  ["room1/contact1/contact[2].state", "烟感", "Smoke detector", 0, "", "", ["正常", "normal"]],
  ["room2/ups2/ups.mode", "UPS 运行模式", "UPS mode", 3, "", "", ["市电供电", "on mains"]],
  ["room2/ups2/battery.charge", "电池电量", "Battery charge", 98, "percent", "%"],
  ["room2/ups2/output.load", "输出负载", "Output load", 52, "percent", "%"],
  ...Array.from({ length: 24 }, (_, index): Row =>
    [`room2/rpdu1/outlet[${index + 1}].current`, "插座电流", "Outlet current", 0.4 + (index % 7) * 0.23, "ampere", "A"]),
];

const now = () => new Date();
const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();

export class FakeRoom {
  points = new Map<string, Point>();
  agents: Agent[] = [];
  alarms: Alarm[] = [];
  broker: "connected" | "unreachable" = "connected";
  is_room_empty = false;

  constructor() {
    for (const [address, label_zh, label_en, value, unit = "", unit_symbol = "", state] of rows) {
      const [agent = "", device = "", name = ""] = address.split("/");
      const [device_name = "", maker = "", model = "", rank = ""] = names[device] ?? [];
      const id = `hq/${address}`;
      this.points.set(id, {
        id, site: "hq", agent, device, device_name, maker, model, class: rank, name, label_zh, label_en,
        value, unit, unit_symbol, ...(state ? { state_zh: state[0], state: state[1] } : {}),
        quality: "good", quality_reason: "", quality_reason_zh: "", taken_at: ago(1), age_s: 1,
      });
    }
    for (const id of this.points.keys())
      if (id.includes("/ups2/")) this.spoil(id, "stale", "设备没有应答：关机、不通或团体名不对", "no answer: off, unreachable or wrong community", 512);
    this.spoil("hq/room1/th2/ambient.humidity", "bad", "读数超出合理范围", "reading is not plausible", 42);
    this.agents = [this.#agent("room1", "一号机房"), this.#agent("room2", "二号机房")];
    this.agents[1]!.journal = { head: 9000, acknowledged: 8700, lost: 0, missing: 128 };
    this.agents.push({ site: "hq", agent: "annex", name: "配楼弱电间", state: "offline", since: ago(3_700), devices: [] });
    this.#raise(7, "critical", "北侧水浸 有水", "North leak: wet", "room1/leak1/leak.state", 96, { kind: "state", value: 1, mail: "sent" });
    this.#raise(6, "major", "热通道温度过高", "Hot aisle too hot", "room1/th2/ambient.temperature", 640,
      { value: 33.8, limit: 32, unit_symbol: "°C", mail: "waiting" });
    this.#raise(5, "minor", "UPS B 没有数据", "UPS B: no data", "room2/ups2/", 480,
      { kind: "lost_data", state: "acknowledged", acknowledged_by: "zhang", acknowledged_at: ago(300), comment: "厂家正在更换网卡" });
    this.#raise(4, "warning", "钢瓶 3 压力偏低", "Cylinder 3 pressure low", "room1/gas1/gas_cylinder[3].pressure", 90_000,
      { kind: "low_limit", value: 3.62, limit: 3.7, unit_symbol: "MPa", state: "returned_unacknowledged", is_active: false, cleared_at: ago(3_000), mail: "failed" });
    this.#raise(3, "major", "UPS A 转电池供电", "UPS A on battery", "room1/ups1/ups.mode", 400_000,
      { kind: "state", state: "normal", is_active: false, cleared_at: ago(399_000), acknowledged_by: "li", acknowledged_at: ago(399_700) });
  }

  #agent(id: string, name: string): Agent {
    const devices = new Map<string, Device>();
    for (const point of this.points.values()) {
      if (point.agent !== id) continue;
      const [communication, communication_text] = lines[point.device] ?? ok;
      devices.set(point.device, {
        id: point.device, name: point.device_name ?? "", maker: point.maker ?? "", model: point.model ?? "",
        class: point.class ?? "", class_configured: point.class ?? "", class_request: "none", poll_interval_ms: 2_000,
        communication: communication as Device["communication"], communication_text, since: ago(512),
      });
    }
    return { site: "hq", agent: id, name, state: "online", since: ago(86_400), version: "0.1.0", devices: [...devices.values()] };
  }

  #raise(id: number, severity: Severity, title_zh: string, title_en: string, address: string, age_s: number, more: Partial<Alarm>): void {
    const [agent = "", device = "", point = ""] = address.split("/");
    const label = this.points.get(`hq/${address}`)?.label_zh ?? "";
    this.alarms.push({
      id, rule: `rule-${id}`, kind: "high_limit", severity, state: "unacknowledged", title_zh, title_en,
      text_zh: title_zh, text_en: title_en, site: "hq", agent, device, device_name: names[device]?.[0] ?? "", point,
      point_label_zh: label, raised_at: ago(age_s), is_active: true, mail: "sent", ...more,
    });
  }

  spoil(id: string, quality: Quality, quality_reason_zh: string, quality_reason: string, age_s: number): void {
    const point = this.points.get(id);
    if (!point) throw new Error(`no point ${id}`);
    this.points.set(id, { ...point, quality, quality_reason_zh, quality_reason, last_value: point.value, value: null, age_s, taken_at: ago(age_s) });
  }

  /** What the aggregator does when the broker is gone: everything unknown, nothing offline. */
  lose_broker(): void {
    this.broker = "unreachable";
    for (const [id, point] of this.points)
      if (point.quality === "good") this.spoil(id, "unknown", "消息服务器连不上", "the broker is unreachable", 8);
    this.agents = this.agents.map((agent) => ({ ...agent, state: "unknown", since: ago(8) }));
  }

  /** `place` is site/agent/device. */
  change_device(place: string, change: Partial<Device>): void {
    this.agents = this.agents.map((agent) => ({
      ...agent,
      devices: (agent.devices ?? []).map((device) => (`${agent.site}/${agent.agent}/${device.id}` === place ? { ...device, ...change } : device)),
    }));
  }

  wiggle(): Point[] {
    const changed: Point[] = [];
    for (const [id, point] of this.points) {
      if (point.quality !== "good" || typeof point.value !== "number") continue;
      const value = point.state ? point.value : point.value * (1 + (Math.random() - 0.5) / 400);
      const next = { ...point, value, taken_at: now().toISOString(), age_s: 0.4 };
      this.points.set(id, next);
      changed.push(next);
    }
    return changed;
  }

  acknowledge(id: number, who: string, comment: string): Alarm | null {
    const alarm = this.alarms.find((one) => one.id === id);
    if (!alarm) return null;
    alarm.state = alarm.is_active ? "acknowledged" : "normal";
    Object.assign(alarm, { acknowledged_by: who, acknowledged_at: now().toISOString(), comment });
    return alarm;
  }

  samples(id: string): Sample[] {
    const middle = this.points.get(id)?.value ?? this.points.get(id)?.last_value;
    if (typeof middle !== "number") return [];
    const end_s = this.points.get(id)?.quality === "good" ? 2 : 512;
    return Array.from({ length: 120 }, (_, index) => ({
      taken_at: ago(3_600 - index * 30),
      value: middle * (1 + 0.02 * Math.sin(index / 9 + id.length) + 0.002 * Math.sin(index * 7)),
      quality: (3_600 - index * 30 < end_s || (index > 50 && index < 56) ? "stale" : "good") as Quality,
    })).filter((sample) => Date.parse(sample.taken_at) <= Date.now());
  }

  core_age_s = 0.4;
  store = "working";
  queue = 0;

  status() {
    const points = [...this.points.values()];
    const open = this.alarms.filter((alarm) => alarm.state !== "normal");
    return {
      version: "0.1.0", time: now().toISOString(), host_id: "watchroom", broker: { state: this.broker, since: ago(8) },
      counts: {
        agents: this.agents.length, agents_online: this.agents.filter((agent) => agent.state === "online").length,
        devices: 9, points: points.length, points_good: points.filter((point) => point.quality === "good").length,
        alarms_open: open.length, alarms_unacknowledged: open.filter((alarm) => alarm.state.includes("unack")).length,
        mails_waiting: 1, mails_failed: 1,
      },
      rates: { readings_per_s: 41 }, store: { records: 1, readings: 2, state: this.store },
      intake: { queue: this.queue, capacity: 100, refused: 0 }, core_age_s: this.core_age_s,
    };
  }
}
