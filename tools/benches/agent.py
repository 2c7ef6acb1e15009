# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""One agent that polls 1 000 points each second over Modbus TCP and SNMP, a hundredth of them passing their deadband.

Reported: memory, CPU and what it makes the disk write, over at least ten minutes; CPU of ten times the points for a
minute; and collectd on the same registers and objects, where it is installed. The Modbus units are one process of
this bench, the SNMP objects those of a real snmpd; the centre acknowledges as it does at a site.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from rig import settings
from rig.processes import Process, free_port, program, wait_until
from rig.room import Plan, Room

DESCRIPTION = "1 000 and 10 000 points each second: memory, CPU, bytes written a day; collectd beside it"

MEASURED_S = int(os.environ.get("WATCHROOM_BENCH_SECONDS", "600"))
LARGE_S = min(60, MEASURED_S)
REGISTERS, OBJECTS = 100, 20
SNMP_DEVICES, SNMP_DEVICES_LARGE = 10, 100
COMMUNITY = "bench"
DEADBAND, STEP = 5, 10
DAY_S = 86_400


def content(unit: int, address: int, second: int) -> int:
    """Moves by more than the deadband once in 100 s, each register in its own second, and trembles below it else."""
    turn = second + unit * REGISTERS + address
    return 1000 + STEP * (turn // 100 % 2) + second % 2


class Units(threading.Thread):
    """Modbus TCP units 1 to 247 with 100 holding registers each (function 3), one connection a thread."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", port))

    def run(self) -> None:
        while True:
            threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, peer: socket.socket) -> None:
        with peer, peer.makefile("rb") as stream:
            while header := stream.read(7):
                transaction, _, length, unit = struct.unpack(">HHHB", header)
                function, address, count = struct.unpack(">BHH", stream.read(length - 1))
                second = int(time.monotonic())
                words = [content(unit, address + i, second) for i in range(count)]
                body = struct.pack(f">BBB{count}H", unit, function, 2 * count, *words)
                peer.sendall(struct.pack(">HHH", transaction, 0, len(body)) + body)


def modbus_profile() -> str:
    text = ('schema = 1\nmaker = "Watchroom"\nmodel = "bench"\nbus = "modbus"\nsource = "this bench"\n'
            'confidence = "measured"\n')
    for n in range(REGISTERS):
        text += (f'[[point]]\nname = "sensor[{n}].count"\nunit = "count"\ndeadband = {DEADBAND}\n'
                 f'label = {{ zh = "计数", en = "Counter" }}\n'
                 f'register = {{ table = "holding", address = {n}, type = "u16" }}\n')
    return text


def snmp_objects() -> list[str]:
    return [f"1.3.6.1.2.1.11.{n}.0" for n in range(1, 33) if n not in (2, 7, 23)][:OBJECTS]


def snmp_profile() -> str:
    text = ('schema = 1\nmaker = "Watchroom"\nmodel = "bench"\nbus = "snmp"\n'
            'source = "SNMPv2-MIB snmp group, this bench"\nconfidence = "measured"\n')
    for n, oid in enumerate(snmp_objects()):
        text += (f'[[point]]\nname = "sensor[{n}].count"\nunit = "count"\noid = "{oid}"\ndeadband = 1e9\n'
                 f'label = {{ zh = "计数", en = "Counter" }}\n')
    return text


def start_snmpd(room: Room, port: int) -> None:
    folder = room.folder / "snmpd"
    (folder / "state").mkdir(parents=True)
    (folder / "snmpd.conf").write_text(f"agentaddress udp:127.0.0.1:{port}\nrocommunity {COMMUNITY}\n")
    room.processes.spawn("snmpd", [program("snmpd"), "-f", "-Lo", "-C", "-c", folder / "snmpd.conf", "-I", "-smux"],
                         environment={"SNMP_PERSISTENT_DIR": str(folder / "state")})


def devices(room: Room, modbus_port: int, snmp_port: int, points: int) -> list[settings.Device]:
    snmp_devices = SNMP_DEVICES if points <= 1000 else SNMP_DEVICES_LARGE
    profiles = {name: room.folder / f"bench_{name}.toml" for name in ("modbus", "snmp")}
    profiles["modbus"].write_text(modbus_profile())
    profiles["snmp"].write_text(snmp_profile())
    secret = room.agent_folder / "community.key"
    secret.write_text(COMMUNITY)
    secret.chmod(0o600)
    pace: dict[str, settings.Setting] = {"poll_interval_ms": 1000, "max_silence_s": 60}
    units = (points - snmp_devices * OBJECTS) // REGISTERS
    made = [settings.Device(f"m{n}", f"m{n}", str(profiles["modbus"]), f"modbus-tcp://127.0.0.1:{modbus_port}?unit={n}",
                            "general", pace) for n in range(1, units + 1)]
    made += [settings.Device(f"s{n}", f"s{n}", str(profiles["snmp"]), f"snmp://127.0.0.1:{snmp_port}?version=2c", "general",
                             pace | {"community_file": "community.key"}) for n in range(snmp_devices)]
    return made


def status(process: Process, key: str) -> float:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(key)


def written(process: Process) -> int:
    """Bytes that the process caused to be sent to the storage layer (proc(5), io)."""
    io = dict(line.split(": ") for line in Path(f"/proc/{process.pid}/io").read_text().splitlines())
    return int(io["write_bytes"])


def watch(process: Process, seconds: float) -> dict[str, float]:
    began, cpu, bytes_before = time.monotonic(), process.cpu_seconds(), written(process)
    anonymous = 0.0
    while time.monotonic() - began < seconds:
        time.sleep(1)
        process.require_running()
        anonymous = max(anonymous, status(process, "RssAnon"))
    took = time.monotonic() - began
    return {"rss_anon_mb": anonymous, "rss_mb": status(process, "VmRSS"),
            "cpu_percent": 100 * (process.cpu_seconds() - cpu) / took,
            "writes_mb_per_day": (written(process) - bytes_before) / took * DAY_S / 1e6}


def agent_figures(workspace: Path, points: int, seconds: float, progress: Callable[[str], None]) -> dict[str, float]:
    modbus_port, snmp_port = free_port(), free_port(socket.SOCK_DGRAM)
    Units(modbus_port).start()
    with Room(Plan(devices=lambda _: devices(room, modbus_port, snmp_port, points), snmp=False, mail=False),
              workspace / f"room{points}") as room:
        room.agent_folder.mkdir(parents=True, exist_ok=True)
        start_snmpd(room, snmp_port)
        room.broker.start()
        room.start_aggregator()
        room.start_agent()
        assert room.agent
        room.wait_until_good("m1", "sensor[0].count", 60)
        time.sleep(20)  # births, the first whole reports and their acknowledgement are not the daily round
        progress(f"  {points} points, {seconds:.0f} s …")
        figures = watch(room.agent, seconds)
        progress("  " + ", ".join(f"{key} {value:.2f}" for key, value in figures.items()))
    return figures


def collectd_settings(workspace: Path, modbus_port: int, snmp_port: int) -> str:
    units = (1000 - SNMP_DEVICES * OBJECTS) // REGISTERS
    text = f'BaseDir "{workspace}"\nPIDFile "{workspace}/collectd.pid"\nInterval 1\n'
    text += "LoadPlugin csv\nLoadPlugin modbus\nLoadPlugin snmp\n"
    text += f'<Plugin csv>\n DataDir "{workspace}/csv"\n</Plugin>\n<Plugin modbus>\n'
    for n in range(REGISTERS):
        text += (f' <Data "r{n}">\n  RegisterBase {n}\n  RegisterType uint16\n  RegisterCmd ReadHolding\n  Type gauge\n'
                 f'  Instance "r{n}"\n </Data>\n')
    text += f' <Host "units">\n  Address "127.0.0.1"\n  Port "{modbus_port}"\n  Interval 1\n'
    for unit in range(1, units + 1):
        collected = "".join(f'   Collect "r{n}"\n' for n in range(REGISTERS))
        text += f'  <Slave {unit}>\n   Instance "u{unit}"\n{collected}  </Slave>\n'
    text += " </Host>\n</Plugin>\n<Plugin snmp>\n"
    for n, oid in enumerate(snmp_objects()):
        text += f' <Data "o{n}">\n  Type "counter"\n  Table false\n  TypeInstance "o{n}"\n  Values "{oid}"\n </Data>\n'
    names = " ".join(f'"o{n}"' for n in range(OBJECTS))
    for n in range(SNMP_DEVICES):
        text += (f' <Host "s{n}">\n  Address "127.0.0.1:{snmp_port}"\n  Version 2\n  Community "{COMMUNITY}"\n'
                 f'  Collect {names}\n  Interval 1\n </Host>\n')
    return text + "</Plugin>\n"


def collectd_figures(workspace: Path, progress: Callable[[str], None]) -> dict[str, float]:
    collectd = Path("/usr/sbin/collectd")
    if not collectd.exists():
        progress("  collectd is not installed (package collectd-core): no peer beside the agent")
        return {}
    modbus_port, snmp_port = free_port(), free_port(socket.SOCK_DGRAM)
    Units(modbus_port).start()
    with Room(Plan(snmp=False, mail=False), workspace / "peer") as room:
        start_snmpd(room, snmp_port)
        file = room.folder / "collectd.conf"
        file.write_text(collectd_settings(room.folder, modbus_port, snmp_port))
        peer = room.processes.spawn("collectd", [collectd, "-f", "-C", file])
        wait_until(lambda: any((room.folder / "csv").rglob("*")), 30, "collectd's first values")
        time.sleep(10)
        figures = watch(peer, LARGE_S)
        progress("  collectd: " + ", ".join(f"{key} {value:.2f}" for key, value in figures.items()))
    return {"collectd_" + key: value for key, value in figures.items()}


def measure(workspace: Path, progress: Callable[[str], None]) -> dict[str, float]:
    figures = agent_figures(workspace, 1000, MEASURED_S, progress)
    large = agent_figures(workspace, 10_000, LARGE_S, progress)
    figures |= {"cpu_percent_10000": large["cpu_percent"], "rss_anon_mb_10000": large["rss_anon_mb"]}
    return figures | collectd_figures(workspace, progress) | {"measured_s": MEASURED_S}


if __name__ == "__main__":
    sys.exit("run it by tools/bench agent")
