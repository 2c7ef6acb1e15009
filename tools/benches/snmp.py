# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Thousands of SNMP devices polled by one agent on one core while a broker and a Modbus gateway come and go.

One snmpd answers for all of 127/8 behind a relay that counts who was asked when; a twentieth of the addresses
is dead. A third speaks SNMPv3 (authPriv), a tenth has a table, each has 20 objects. Everything runs in a
network namespace of its own.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rig import settings
from rig.processes import RigError, free_port, program, wait_until
from rig.room import Plan, Room

DESCRIPTION = "5 000 SNMP devices each minute by one agent: missed polls, CPU, memory, sockets"

DEVICES = int(os.environ.get("WATCHROOM_BENCH_DEVICES", "5000"))
INTERVAL_S = 60
DEAD_EVERY, V3_EVERY, TABLE_EVERY = 20, 3, 10
OBJECTS = 20
MEASURED_S = int(os.environ.get("WATCHROOM_BENCH_SECONDS", "180"))
# The agent's clock and the relay's are not in step to the millisecond, and a request may be repeated.
TOLERANCE = 1.5
USER, KEYS, COMMUNITY = "bench", ("authentic-bench-1", "private-bench-1"), "bench"
IP_PKTINFO = 8


def address(number: int) -> str:
    return f"127.1.{number // 200}.{number % 200 + 1}"


def is_dead(number: int) -> bool:
    return number % DEAD_EVERY == 7


def profile_text(with_table: bool) -> str:
    text = ('schema = 1\nmaker = "Watchroom"\nmodel = "bench"\nbus = "snmp"\nsource = "SNMPv2-MIB snmp group, this bench"\n'
            'confidence = "measured"\n')
    objects = [n for n in range(1, 33) if n not in (2, 7, 23)][:OBJECTS]
    for n in objects:
        text += (f'[[point]]\nname = "sensor[snmp{n}].count"\nunit = "count"\noid = "1.3.6.1.2.1.11.{n}.0"\n'
                 f'deadband = 1e9\nlabel = {{ zh = "计数", en = "Counter" }}\n')
    if with_table:
        text += ('[[point]]\nname = "storage[*].name"\nunit = "text"\noid = "1.3.6.1.2.1.25.2.3.1.3"\ntable = true\n')
    return text


class Relay:
    """Passes requests to one snmpd and its answers back from the address that was asked; notes who was asked."""

    def __init__(self, port: int, backend: int, log: Path) -> None:
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        self.front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.front.bind(("0.0.0.0", port))  # noqa: S104 - inside a network namespace that has a loopback only
        self.dead = {address(n) for n in range(DEVICES) if is_dead(n)}
        self.log = log.open("w", buffering=1)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ)
        self.pool = []
        for _ in range(512):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.connect(("127.0.0.1", backend))
            self.pool.append(one)
            self.selector.register(one, selectors.EVENT_READ)
        self.next = 0
        self.asker: dict[int, tuple[tuple[str, int], bytes]] = {}

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select():
                (self.ask if key.fileobj is self.front else self.answer)(key.fileobj)

    def ask(self, _: socket.socket) -> None:
        data, ancillary, _, client = self.front.recvmsg(65536, 256)
        packet_info = next(content for level, kind, content in ancillary if kind == IP_PKTINFO)
        asked = packet_info[8:12]
        name = socket.inet_ntoa(asked)
        self.log.write(f"{time.monotonic():.3f} {name}\n")
        if name in self.dead:
            return
        self.next = (self.next + 1) % len(self.pool)
        backend = self.pool[self.next]
        self.asker[backend.fileno()] = (client, struct.pack("I4s4s", 0, asked, b"\0" * 4))
        backend.send(data)

    def answer(self, backend: socket.socket) -> None:
        data = backend.recv(65536)
        client, packet_info = self.asker[backend.fileno()]
        self.front.sendmsg([data], [(socket.IPPROTO_IP, IP_PKTINFO, packet_info)], 0, client)


def start_snmpd(room: Room, port: int) -> None:
    folder = room.folder / "snmpd"
    (folder / "state").mkdir(parents=True)
    (folder / "snmpd.conf").write_text(
        f"agentaddress udp:127.0.0.1:{port}\nrocommunity {COMMUNITY}\n"
        f"createUser {USER} SHA-256 {KEYS[0]} AES {KEYS[1]}\nrouser {USER} priv\n")
    room.processes.spawn("snmpd", [program("snmpd"), "-f", "-Lo", "-C", "-c", folder / "snmpd.conf", "-I", "-smux"],
                         environment={"SNMP_PERSISTENT_DIR": str(folder / "state")})


def devices(room: Room, port: int, modbus_port: int) -> list[settings.Device]:
    for name, secret in (("auth", KEYS[0]), ("priv", KEYS[1]), ("community", COMMUNITY)):
        file = room.agent_folder / f"{name}.key"
        file.write_text(secret)
        file.chmod(0o600)
    profiles = {}
    for with_table in (False, True):
        profiles[with_table] = room.folder / f"bench_{'table' if with_table else 'plain'}.toml"
        profiles[with_table].write_text(profile_text(with_table))
    made = []
    for n in range(DEVICES):
        profile = str(profiles[n % TABLE_EVERY == 0])
        more: dict[str, settings.Setting] = {"poll_interval_ms": INTERVAL_S * 1000, "max_silence_s": 60}
        if n % V3_EVERY == 0:
            url = f"snmp://{address(n)}:{port}?version=3&user={USER}&auth=SHA-256&priv=AES"
            more |= {"auth_key_file": "auth.key", "priv_key_file": "priv.key"}
        else:
            url = f"snmp://{address(n)}:{port}?version=2c"
            more |= {"community_file": "community.key"}
        made.append(settings.Device(f"d{n}", f"d{n}", profile, url, "general", more))
    made.append(settings.Device("th", "th", "renke_rs_ws_n01", f"modbus-tcp://127.0.0.1:{modbus_port}?unit=1",
                                "core", {"poll_interval_ms": 1000}))
    return made


def measure_here(workspace: Path, progress: Callable[[str], None]) -> dict[str, float]:
    port, backend = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    modbus_port = free_port()
    asked = workspace / "asked.log"
    with Room(Plan(devices=lambda _: devices(room, port, modbus_port), snmp=False, mail=False), workspace / "room") as room:
        room.agent_folder.mkdir(parents=True, exist_ok=True)
        start_snmpd(room, backend)
        room.processes.spawn("relay", ["/usr/bin/python3", "-B", __file__, "relay", str(port), str(backend), str(asked)],
                             environment={"PYTHONPATH": ":".join(sys.path)})
        wait_until(asked.exists, 10, "the relay")
        room.broker.start()
        room.start_aggregator()
        room.start_agent()
        assert room.agent
        os.sched_setaffinity(room.agent.pid, {0})
        living = {address(n) for n in range(DEVICES) if not is_dead(n)}
        began = time.monotonic()
        wait_until(lambda: living <= {line.split()[1] for line in asked.read_text().splitlines()}, 180, "every device asked once")
        progress(f"  every living device asked {time.monotonic() - began:.0f} s after the start")
        time.sleep(INTERVAL_S)
        figures = watch(room, asked, living, progress)
    return figures


def watch(room: Room, asked: Path, living: set[str], progress: Callable[[str], None]) -> dict[str, float]:
    assert room.agent
    begin, cpu_before = time.monotonic(), room.agent.cpu_seconds()
    sockets = 0
    for second in range(MEASURED_S):
        time.sleep(1)
        sockets = max(sockets, len(os.listdir(f"/proc/{room.agent.pid}/fd")))
        if second % 30 == 15:
            room.broker.stop()
        if second % 30 == 20:
            room.broker.start()
    end = time.monotonic()
    cpu = 100 * (room.agent.cpu_seconds() - cpu_before) / (end - begin)
    status = dict(line.split(":", 1) for line in Path(f"/proc/{room.agent.pid}/status").read_text().splitlines())
    rounds: dict[str, list[float]] = {name: [] for name in living}
    for line in asked.read_text().splitlines():
        at, name = line.split()
        if name in living and begin - INTERVAL_S <= float(at) <= end:
            rounds[name].append(float(at))
    missed, widest = 0, 0.0
    for times in rounds.values():
        # Requests of one poll come close together.
        polls = [at for i, at in enumerate(times) if i == 0 or at - times[i - 1] > INTERVAL_S / 4]
        gaps = [later - earlier for earlier, later in zip(polls, polls[1:])] or [float(MEASURED_S)]
        widest = max(widest, *gaps)
        missed += sum(round(gap / INTERVAL_S) - 1 for gap in gaps if gap > TOLERANCE * INTERVAL_S)
    progress(f"  {missed} missed, widest pause {widest:.1f} s, CPU {cpu:.1f} %, {sockets} descriptors")
    return {"devices": DEVICES, "missed_polls": missed, "widest_pause_s": widest, "cpu_percent": cpu,
            "rss_mb": int(status["VmRSS"].split()[0]) / 1024, "rss_anon_mb": int(status["RssAnon"].split()[0]) / 1024,
            "threads": int(status["Threads"]), "most_descriptors": sockets}


def measure(workspace: Path, progress: Callable[[str], None]) -> dict[str, float]:
    """Runs itself again in a network namespace, where all of 127/8 can be listened on and nothing else is."""
    result = workspace / "result.json"
    rootless = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    subprocess.run([program("unshare"), *rootless, "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "-",
                    "/usr/bin/python3", "-B", __file__, "here", str(workspace), str(result)],
                   stdout=sys.stderr, env=dict(os.environ, PYTHONPATH=":".join(sys.path)), check=True)
    progress("")
    return json.loads(result.read_text())


if __name__ == "__main__":
    if sys.argv[1] == "relay":
        Relay(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])).run()
    elif sys.argv[1] == "here":
        figures = measure_here(Path(sys.argv[2]), lambda text: print(text, flush=True))
        Path(sys.argv[3]).write_text(json.dumps(figures))
    else:
        raise RigError("run it by tools/bench snmp")
