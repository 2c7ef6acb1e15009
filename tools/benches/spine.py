# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Readings a second and latency through the whole path: Modbus TCP, agent, TLS broker, store.

The load rises until the store no longer gets 95 % of what is offered. Beside it, in the same run: what
SQLite alone commits of the same payloads on this disk, what mosquitto alone carries of them over TLS, and
what one of the simulated devices answers to a bare client.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig import settings
from rig.observer import connection
from rig.processes import RigError, TimedOut, free_port, program, wait_until
from rig.room import Plan, Room

DESCRIPTION = "readings/s and sensor-to-store latency through agent, TLS broker and aggregator"

POINTS = 50                      # a device; the first shows its own clock, the others change at each read
LOADS = (2_000, 5_000, 10_000, 20_000, 40_000, 80_000)
POLL_INTERVAL_MS = 100           # the shortest the agent allows
PORTS = 8                        # each is a bus with a connection and a thread of the agent
SETTLE_S = 3.0
MEASURED_S = 6.0
KEPT_UP = 0.95
LIMIT_S = 3.0


def profile_text() -> str:
    points = ['[[point]]\nname = "device.counter"\nunit = "count"\n'
              'register = { table = "holding", address = 0, type = "u32" }\n']
    points += [f'[[point]]\nname = "outlet[{n}].power"\nunit = "watt"\n'
               f'register = {{ table = "holding", address = {n + 1}, type = "u16" }}\n' for n in range(1, POINTS)]
    head = ('schema = 1\nmaker = "Watchroom"\nmodel = "bench"\nbus = "modbus"\nsource = "this bench"\n'
            'confidence = "measured"\n\n')
    return head + "\n".join(points)


class _FastUnit(asyncio.Protocol):
    """Answers function 3 with its clock and a running number, without a Modbus library: pymodbus would be
    the bottleneck, not the product."""

    epoch_ms = 0
    reads = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies = []
        while len(self._buffer) >= 12:
            transaction, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", self._buffer[:12])
            self._buffer = self._buffer[12:]
            if function != 3 or address + count > POINTS + 1:
                replies.append(struct.pack(">HHHBBB", transaction, 0, 3, unit, function | 0x80, 2))
                continue
            _FastUnit.reads += 1
            clock = time.time_ns() // 1_000_000 - _FastUnit.epoch_ms
            words = struct.pack(">I", clock) + struct.pack(">H", _FastUnit.reads & 0x7FFF) * (POINTS - 1)
            body = words[2 * address:2 * (address + count)]
            replies.append(struct.pack(">HHHBBB", transaction, 0, 3 + len(body), unit, 3, len(body)) + body)
        self._transport.write(b"".join(replies))


async def _serve(ports: list[int], epoch_ms: int) -> None:
    _FastUnit.epoch_ms = epoch_ms
    loop = asyncio.get_running_loop()
    for port in ports:
        await loop.create_server(_FastUnit, "127.0.0.1", port)
    print("ready", flush=True)
    await asyncio.Event().wait()


@dataclass
class Level:
    offered_per_s: float
    stored_per_s: float
    p50_ms: float
    p99_ms: float
    payload_bytes: float
    payloads: list[bytes]
    cpu_percent: dict[str, float]    # of one core; two cores are 200


def measure(workspace: Path, progress: Callable[[str], None]) -> dict[str, float]:
    profile = workspace / "bench.toml"
    profile.write_text(profile_text())
    levels: list[Level] = []
    for load in LOADS:
        level = _run_level(workspace / f"load{load}", profile, load)
        progress(f"  offered {load}/s: stored {level.stored_per_s:.0f}/s, "
                 f"p50 {level.p50_ms:.0f} ms, p99 {level.p99_ms:.0f} ms, CPU "
                 + ", ".join(f"{name} {percent:.0f} %" for name, percent in level.cpu_percent.items()))
        levels.append(level)
        if level.stored_per_s < KEPT_UP * load:
            break
    kept = [level for level in levels if level.stored_per_s >= KEPT_UP * level.offered_per_s] or levels[:1]
    best = max(levels, key=lambda level: level.stored_per_s)
    sqlite_rows = _sqlite_limit(workspace / "limit.sqlite", best.payloads)
    broker_messages = _broker_limit(workspace, int(best.payload_bytes))
    device_reads = _device_limit(workspace)
    progress(f"  limits: SQLite {sqlite_rows:.0f} payloads/s, broker {broker_messages:.0f} payloads/s, "
             f"simulated device {device_reads:.0f} reads/s")
    return {
        "readings_per_s": best.stored_per_s,
        "readings_per_s_kept_up": kept[-1].stored_per_s,
        "latency_p50_ms": levels[0].p50_ms,
        "latency_p99_ms": levels[0].p99_ms,
        "latency_at_kept_up_p50_ms": kept[-1].p50_ms,
        "latency_at_kept_up_p99_ms": kept[-1].p99_ms,
        "latency_load_readings_per_s": levels[0].offered_per_s,
        "payload_bytes": best.payload_bytes,
        "readings_per_payload": POINTS,
        **{f"cpu_{name}_percent_at_best": percent for name, percent in best.cpu_percent.items()},
        "limit_sqlite_readings_per_s": sqlite_rows * POINTS,
        "limit_broker_readings_per_s": broker_messages * POINTS,
        "limit_simulated_device_readings_per_s": device_reads * POINTS,
    }


def _run_level(folder: Path, profile: Path, load: int) -> Level:
    devices_count = round(load * POLL_INTERVAL_MS / 1000 / POINTS)
    offered = devices_count * POINTS * 1000 / POLL_INTERVAL_MS
    epoch_ms = time.time_ns() // 1_000_000
    ports = [free_port() for _ in range(min(PORTS, devices_count))]

    def devices(_: object) -> list[settings.Device]:
        return [settings.Device(f"d{n}", f"d{n}", str(profile),
                                f"modbus-tcp://127.0.0.1:{ports[n % len(ports)]}?unit={n // len(ports) + 1}", "core",
                                {"poll_interval_ms": POLL_INTERVAL_MS}) for n in range(devices_count)]

    with Room(Plan(devices=devices, snmp=False, mail=False, store={"recent_hours": 1}), folder) as room:
        server = room.processes.spawn("devices", ["/usr/bin/python3", "-B", __file__, json.dumps(ports),
                                                  str(epoch_ms)], environment={"PYTHONPATH": ":".join(sys.path)})
        wait_until(lambda: "ready" in server.log(), 10, "the simulated devices")
        room.broker.start()
        room.start_aggregator()
        room.start_agent()
        wait_until(lambda: room.point("d0", "device.counter"), 30, "the first reading")
        time.sleep(SETTLE_S)
        watched = {"devices": server, "agent": room.agent, "broker": room.broker.process,
                   "aggregator": room.aggregator}
        cpu_before = {name: process.cpu_seconds() for name, process in watched.items()}
        begin = time.time_ns() // 1_000_000
        time.sleep(MEASURED_S)
        end = time.time_ns() // 1_000_000
        cpu = {name: 100.0 * (process.cpu_seconds() - cpu_before[name]) / MEASURED_S
               for name, process in watched.items()}
        time.sleep(1.0)  # lets the last group commit
        payloads = [row[0] for row in room.store.query(
            "SELECT payload FROM inbox WHERE record IS NOT NULL AND committed_ms BETWEEN ? AND ?", begin, end)]
        clocks = room.store.query(
            "SELECT inbox.committed_ms - sample.value FROM sample JOIN inbox ON inbox.id = sample.inbox_id"
            " JOIN point ON point.id = sample.point_id WHERE point.name = 'device.counter'"
            " AND inbox.committed_ms BETWEEN ? AND ? AND sample.value IS NOT NULL", begin, end)
        stored = room.store.query(
            "SELECT count(*) FROM inbox JOIN sample ON sample.inbox_id = inbox.id"
            " WHERE inbox.record IS NOT NULL AND inbox.committed_ms BETWEEN ? AND ?", begin, end)[0][0]
    latencies = sorted(row[0] - epoch_ms for row in clocks)
    if not latencies:
        raise TimedOut(f"nothing was stored at {load} readings/s; see {folder}")
    return Level(offered, stored / ((end - begin) / 1000), latencies[len(latencies) // 2],
                 latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))],
                 sum(map(len, payloads)) / len(payloads), payloads[:2000], cpu)


def _sqlite_limit(path: Path, payloads: list[bytes]) -> float:
    """The same blobs into one table, power-cut safe, in groups as large as 50 ms allow. No index, no samples."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE inbox (id INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
    rows, group, began = 0, 200, time.monotonic()
    while time.monotonic() - began < LIMIT_S:
        group_began = time.monotonic()
        database.execute("BEGIN")
        database.executemany("INSERT INTO inbox(payload) VALUES (?)",
                             ((payloads[(rows + n) % len(payloads)],) for n in range(group)))
        database.execute("COMMIT")
        rows += group
        took = time.monotonic() - group_began
        group = max(10, min(20000, int(group * 0.05 / took)))
    rate = rows / (time.monotonic() - began)
    database.close()
    return rate


def _broker_limit(workspace: Path, payload_bytes: int) -> float:
    """mosquitto_pub to mosquitto_sub over TLS, QoS 0 as Sparkplug asks, lines as long as our payloads."""
    with Room(Plan(snmp=False), workspace / "broker") as room:
        room.broker.start()
        node, observer = room.authority.client("room1"), room.authority.client("observer")
        count = 40_000
        lines = (b"x" * payload_bytes + b"\n") * count
        with subprocess.Popen(
                [program("mosquitto_sub"), *connection(room.broker.port, room.authority.ca_file, observer), "-t",
                 "spBv1.0/#", "-C", str(count), "-W", "30"], stdout=subprocess.DEVNULL) as receiver:
            wait_until(lambda: "'observer'" in room.broker.process.log(), 5, "the subscriber")
            time.sleep(0.3)
            began = time.monotonic()
            subprocess.run([program("mosquitto_pub"), *connection(room.broker.port, room.authority.ca_file, node),
                            "-t", "spBv1.0/hq/DDATA/room1/d", "-l"], input=lines, check=True, timeout=60)
            code = receiver.wait(timeout=60)
            took = time.monotonic() - began
        if code != 0:
            raise RigError(f"mosquitto_sub ended with {code} before it had all {count} messages")
        return count / took


def _device_limit(workspace: Path) -> float:
    """One bare client, one request at a time, as the agent does on one bus."""
    port = free_port()
    log = workspace / "device.log"
    with log.open("wb") as output, subprocess.Popen(
            ["/usr/bin/python3", "-B", __file__, json.dumps([port]), str(time.time_ns() // 1_000_000)], stdout=output,
            env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}) as server:
        try:
            wait_until(lambda: b"ready" in log.read_bytes(), 10, "the device")
            request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, POINTS + 1)
            with socket.create_connection(("127.0.0.1", port)) as client:
                reads, began = 0, time.monotonic()
                while time.monotonic() - began < LIMIT_S:
                    client.sendall(request)
                    client.recv(4096)
                    reads += 1
            return reads / LIMIT_S
        finally:
            server.kill()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1]), int(sys.argv[2])))
