# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""How much of a 9600-baud RS-485 line the agent uses when the line is the limit.

A relay between two ptys (serial_line/paced_line.c) lets each character through when it would have been shifted
out; behind it are Modbus units (serial_line/rtu_servers.c). Case one: 100 registers of one unit; case two: 12
registers of each of eight. Ideal: the characters of requests and replies, 3.5 characters of silence before each
request, and the turn-round that was measured at the units; it holds the silence before the reply. collectd's
modbus plugin reads the same registers in the same run where it is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rig import settings
from rig.processes import Process, ProcessSet, program, wait_until
from rig.room import Plan, Room

DESCRIPTION = "a 9600-baud RS-485 line kept busy by one agent: ideal over actual time, silence between frames"

BAUD, BITS = 9600, 10
CHARACTER_S = BITS / BAUD
SILENCE_S = 3.5 * CHARACTER_S
MEASURED_S = float(os.environ.get("WATCHROOM_BENCH_SECONDS", "12"))
SOURCES = Path(__file__).resolve().parent / "serial_line"


@dataclass(frozen=True)
class Case:
    name: str
    units: int
    registers: int


CASES = (Case("one_slave", 1, 100), Case("eight_slaves", 8, 12))


@dataclass
class Asked:
    at: float
    unit: int
    registers: int
    turn_round_s: float


class Line:
    """The two programs that are the line and the units on it."""

    def __init__(self, folder: Path, programs: Path, processes: ProcessSet) -> None:
        folder.mkdir(parents=True)
        self.client_end, servers_end, self.log = folder / "client", folder / "servers", folder / "asked.log"
        speed = (str(BITS), str(BAUD))
        self.wire = processes.spawn(f"wire-{folder.name}",
                                    [programs / "paced_line", *speed, self.client_end, servers_end])
        wait_until(self.client_end.is_symlink, 10, "the line")
        self.servers = processes.spawn(f"servers-{folder.name}",
                                       [programs / "rtu_servers", *speed, servers_end, self.log])
        wait_until(self.log.exists, 10, "the units on the line")

    def asked(self) -> list[Asked]:
        fields = [line.split() for line in self.log.read_text().splitlines()[:-1]]
        return [Asked(float(at), int(unit), int(count), float(turn) / 1e3) for at, unit, _, count, turn in fields]

    def end(self) -> tuple[dict[str, float], dict[str, float]]:
        """What the wire and what the units have seen."""
        return told_at_end(self.wire), told_at_end(self.servers)


def told_at_end(process: Process) -> dict[str, float]:
    process.require_running()
    process.stop()
    return json.loads(process.log().splitlines()[-1])  # type: ignore[no-any-return]


def compile_programs(folder: Path) -> Path:
    folder.mkdir()
    for source in SOURCES.glob("*.c"):
        subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-O2", source, "-o", folder / source.stem, "-lutil"], check=True)
    return folder


def exchange_s(registers: int, turn_round_s: float) -> float:
    request, reply = 8, 5 + 2 * registers
    return SILENCE_S + (request + reply) * CHARACTER_S + turn_round_s


@dataclass
class Outcome:
    ideal_s: float
    actual_s: float
    polls_per_s: float
    turn_round_s: float
    violations: int
    shortest_silence_ms: float


def watch(line: Line, case: Case, client: Process) -> Outcome:
    """Times of whole rounds over the case's registers, once the client is under way."""
    settle = 3 * case.units * case.registers if client.name.startswith("collectd") else 4 * case.units

    def is_under_way() -> bool:
        client.require_running()
        return len(line.asked()) > settle

    wait_until(is_under_way, 60, f"{client.name} to ask")
    begin = len(line.asked())
    time.sleep(MEASURED_S)
    asked = line.asked()[begin:]
    client.stop()
    wire, servers = line.end()
    # A round is over when as many registers as the case has were read.
    registers = sum(one.registers for one in asked[:-1])
    rounds = registers / (case.units * case.registers)
    actual = (asked[-1].at - asked[0].at) / rounds
    turn_round = statistics.mean(one.turn_round_s for one in asked)
    ideal = case.units * exchange_s(case.registers, turn_round)
    return Outcome(ideal, actual, case.units / actual, turn_round,
                   int(wire["silence_violations"] + servers["silence_violations"]), wire["shortest_silence_ms"])


def profile_text(registers: int) -> str:
    text = ('schema = 1\nmaker = "Watchroom"\nmodel = "bench"\nbus = "modbus"\nsource = "rtu_servers.c of this bench"\n'
            'confidence = "measured"\n')
    for n in range(registers):
        text += (f'[[point]]\nname = "sensor[r{n}].count"\nunit = "count"\nlabel = {{ zh = "计数", en = "Counter" }}\n'
                 f'register = {{ table = "holding", address = {n}, type = "u16" }}\n')
    return text


def measure_agent(workspace: Path, programs: Path, case: Case) -> Outcome:
    folder = workspace / case.name
    profile = workspace / f"{case.name}.toml"
    profile.write_text(profile_text(case.registers))
    address = f"modbus-rtu://{folder / 'line' / 'client'}?baud={BAUD}&parity=N&unit="
    devices = [settings.Device(f"u{unit}", f"u{unit}", str(profile), f"{address}{unit}", "core",
                               {"poll_interval_ms": 100}) for unit in range(1, case.units + 1)]
    with Room(Plan(devices=lambda _: devices, snmp=False, mail=False), folder / "room") as room:
        line = Line(folder / "line", programs, room.processes)
        room.broker.start()
        room.start_agent()
        assert room.agent
        return watch(line, case, room.agent)


def collectd_text(folder: Path, line: Line, case: Case) -> str:
    data = "".join(f'<Data "r{n}">\nRegisterBase {n}\nRegisterType uint16\nType gauge\nInstance "r{n}"\n</Data>\n'
                   for n in range(case.registers))
    collect = "".join(f'Collect "r{n}"\n' for n in range(case.registers))
    slaves = "".join(f'<Slave {unit}>\nInstance "u{unit}"\n{collect}</Slave>\n' for unit in range(1, case.units + 1))
    # An interval that is always over, so that the line is the limit.
    return (f'BaseDir "{folder}"\nPIDFile "{folder / "pid"}"\nPluginDir "/usr/lib/collectd"\n'
            'TypesDB "/usr/share/collectd/types.db"\nInterval 0.01\nReadThreads 1\nLoadPlugin modbus\n'
            f'LoadPlugin csv\n<Plugin csv>\nDataDir "{folder}"\n</Plugin>\n<Plugin modbus>\n{data}'
            f'<Host "bench">\nDevice "{line.client_end}"\nBaudrate {BAUD}\nInterval 0.01\n{slaves}</Host>\n</Plugin>\n')


def measure_collectd(workspace: Path, programs: Path, case: Case) -> Outcome:
    folder = workspace / f"collectd_{case.name}"
    folder.mkdir()
    (folder / "logs").mkdir()
    processes = ProcessSet(folder / "logs")
    try:
        line = Line(folder / "line", programs, processes)
        (folder / "collectd.conf").write_text(collectd_text(folder, line, case))
        client = processes.spawn("collectd", [program("collectd"), "-f", "-C", folder / "collectd.conf"])
        return watch(line, case, client)
    finally:
        processes.stop_all()


def has_collectd() -> bool:
    return shutil.which("collectd", path="/usr/sbin:/usr/bin") is not None and Path("/usr/lib/collectd/modbus.so").exists()


def measure(workspace: Path, progress: Callable[[str], None]) -> dict[str, float]:
    programs = compile_programs(workspace / "programs")
    agent = {case.name: measure_agent(workspace, programs, case) for case in CASES}
    figures: dict[str, float] = {"efficiency": min(one.ideal_s / one.actual_s for one in agent.values())}
    for name, one in agent.items():
        progress(f"  {name}: ideal {1e3 * one.ideal_s:.2f} ms, actual {1e3 * one.actual_s:.2f} ms, shortest silence "
                 f"{one.shortest_silence_ms:.3f} ms")
        figures |= {f"efficiency_{name}": one.ideal_s / one.actual_s, f"ideal_ms_{name}": 1e3 * one.ideal_s,
                    f"actual_ms_{name}": 1e3 * one.actual_s, f"seconds_per_round_{name}": one.actual_s,
                    f"polls_per_s_{name}": one.polls_per_s, f"turn_round_ms_{name}": 1e3 * one.turn_round_s,
                    f"shortest_silence_ms_{name}": one.shortest_silence_ms}
    figures["silence_violations"] = sum(one.violations for one in agent.values())
    if has_collectd():
        # Not its own ideal: what the line needs for these registers.
        other = {case.name: measure_collectd(workspace, programs, case) for case in CASES}
        figures["collectd_efficiency"] = min(agent[name].ideal_s / one.actual_s for name, one in other.items())
        for name, one in other.items():
            figures |= {f"collectd_seconds_per_round_{name}": one.actual_s}
        figures["collectd_silence_violations"] = sum(one.violations for one in other.values())
    else:
        progress("  collectd (package collectd-core) is not installed: nothing beside the agent")
    return figures
