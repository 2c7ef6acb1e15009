# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""One device, asked what it is and set: over each Modbus transport, and over SNMPv3."""

from __future__ import annotations

import json
import os
import subprocess
import time
import tomllib
import unittest
from pathlib import Path

from story import REPOSITORY, Plan, Story, main, program, wait_until  # isort: skip
from rig.processes import Process, free_port

TIMEOUT_S = 90
PROFILES = REPOSITORY / "agent" / "profiles"
AGENT = Path(os.environ["WATCHROOM_BIN_DIR"]) / "watchroom-agent"
PROFILE = """schema = 1
maker = "Watchroom"
model = "test"
bus = "modbus"
source = "made for this test"
confidence = "measured"
[modbus]
identity = ["TEST-43"]
[[point]]
name = "ambient.temperature"
unit = "celsius"
register = { table = "input", address = 0, type = "i16", scale = 0.1 }
"""
ON_OFF = 'states = { 0 = { zh = "断开", en = "off" }, 1 = { zh = "吸合", en = "on" } }'
WRITABLE_POINTS = f"""
[[point]]
name = "relay[1].state"
unit = "state"
writable = true
register = {{ table = "coil", address = 3 }}
{ON_OFF}
[[point]]
name = "relay[2].state"
unit = "state"
writable = true
write = {{ function = "multiple" }}
register = {{ table = "coil", address = 4 }}
{ON_OFF}
[[point]]
name = "cooling.temperature_set_point"
unit = "celsius"
writable = true
plausible = {{ min = 16, max = 30 }}
register = {{ table = "holding", address = 8, type = "i16", scale = 0.1 }}
[[point]]
name = "cooling.humidity_set_point"
unit = "percent_rh"
writable = true
plausible = {{ min = 20, max = 80 }}
register = {{ table = "holding", address = 20, type = "f32", order = "dcba" }}
"""
# Functions 5, 15, 6 and 16, what the unit held before, and what it holds then.
ORDERS = (("relay[1].state", "on", 0, 1), ("relay[1].state", "断开", 1, 0), ("relay[2].state", "1", 0, 1),
          ("cooling.temperature_set_point", "23.5", None, 23.5), ("cooling.humidity_set_point", "45.5", None, 45.5))


def probe(url: str, profiles: Path = PROFILES) -> tuple[subprocess.CompletedProcess, list[dict]]:
    run = subprocess.run([AGENT, "probe", url, "--json", "--profiles-dir", profiles], capture_output=True,
                         text=True, timeout=60)
    return run, [json.loads(line) for line in run.stdout.splitlines()]


class Probing(Story):
    def setUp(self) -> None:
        self.folder = self.new_folder()
        profiles = self.folder / "profiles"
        profiles.mkdir()
        (profiles / "test43.toml").write_text(PROFILE)
        self.profiles = profiles

    def serve(self, name: str, *arguments: str | Path) -> Process:
        peer = Process(name, arguments, self.folder / f"{name}.log").start()
        self.addCleanup(peer.stop)
        return peer

    def serve_every_transport(self) -> tuple[str, ...]:
        """The URL of a unit on TCP, on RTU over TCP and on a line."""
        peer = REPOSITORY / "tests" / "peers" / "modbus_unit.py"
        tcp, rtu_tcp = free_port(), free_port()
        ends = [self.folder / "device", self.folder / "agent"]
        self.serve("socat", program("socat"), *[f"pty,raw,echo=0,link={end}" for end in ends])
        wait_until(lambda: all(end.exists() for end in ends), 10, "the line")
        self.serve("tcp", "/usr/bin/python3", "-B", peer, "tcp", str(tcp)).wait_for_port(tcp)
        self.serve("rtu-tcp", "/usr/bin/python3", "-B", peer, "rtu-tcp", str(rtu_tcp)).wait_for_port(rtu_tcp)
        self.serve("rtu", "/usr/bin/python3", "-B", peer, "rtu", str(ends[0]))
        return (f"modbus-tcp://127.0.0.1:{tcp}?unit=1", f"modbus-rtu-tcp://127.0.0.1:{rtu_tcp}?unit=1",
                f"modbus-rtu://{ends[1]}?baud=9600&unit=1")

    def write(self, url: str, point: str, value: str, *more: str) -> subprocess.CompletedProcess:
        return subprocess.run([AGENT, "write", url, point, value, "--json", "--profiles-dir", self.profiles, *more],
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

    def test_AWrittenPointIsReadBackOverEveryTransport(self) -> None:
        (self.profiles / "test43.toml").write_text(PROFILE + WRITABLE_POINTS)
        for url in self.serve_every_transport():
            with self.subTest(url=url.split(":")[0]):
                wait_until(lambda: self.answered(url), 15, f"an answer of {url}")
                for point, value, before, after in ORDERS:
                    run = self.write(url, point, value, "--yes")
                    self.assertEqual(run.returncode, 0, run.stderr + run.stdout)
                    told = json.loads(run.stdout)
                    self.assertEqual((told["written"], told["read_back"], told["agrees"], told["doubt"]),
                                     (after, after, True, None))
                    if before is not None:
                        self.assertEqual(told["before"], before)
                wide = self.write(url, "cooling.temperature_set_point", "30.1", "--yes")
                self.assertEqual(wide.returncode, 2)
                self.assertIn("expected 16 to 30", wide.stderr)
                self.assertEqual(self.write(url, "relay[1].state", "on").returncode, 2)  # nobody can confirm it
                states = {p["point"]: p["value"] for p in probe(url, self.profiles)[1]}
                self.assertEqual((states["relay[1].state"], states["cooling.temperature_set_point"]), (0, 23.5))

    def test_AModbusUnitIsKnownByItsIdentificationOverEveryTransport(self) -> None:
        for url in self.serve_every_transport():
            with self.subTest(url=url.split(":")[0]):
                began = time.monotonic()
                run, points = wait_until(lambda: self.answered(url), 15, f"an answer of {url}")
                self.assertIn("(test43)", run.stderr)
                self.assertEqual([(p["point"], p["value"], p["source"]) for p in points],
                                 [("ambient.temperature", 23.1, "input 0")])
                self.tell(f"{url.split(':')[0]}: known after {time.monotonic() - began:.1f} s")

    def test_AScanWritesSettingsThatTheAgentTakes(self) -> None:
        peer = REPOSITORY / "tests" / "peers" / "modbus_unit.py"
        port = free_port()
        self.serve("tcp", "/usr/bin/python3", "-B", peer, "tcp", str(port)).wait_for_port(port)
        url = f"modbus-tcp://127.0.0.1-2:{port}?unit=1-3"
        found = subprocess.run([AGENT, "scan", url, "--profiles-dir", self.profiles, "--timeout-ms", "300"],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn("1 of 6 addresses answered", found.stderr)
        device = tomllib.loads(found.stdout)["device"]
        self.assertEqual([(d["id"], d["profile"], d["address"]) for d in device],
                         [("test431", "test43", f"modbus-tcp://127.0.0.1:{port}?unit=1")])
        (self.profiles / "test43.toml").write_text(PROFILE.replace("TEST-43", "another"))
        unknown = subprocess.run([AGENT, "scan", url, "--profiles-dir", self.profiles, "--timeout-ms", "300"],
                                 capture_output=True, text=True, timeout=60)
        self.assertIn("identification 1: TEST-43", unknown.stdout)
        self.assertRegex(unknown.stdout, r"(?m)^#\s+0\s+231\s+23\.1")
        self.assertNotIn("device", tomllib.loads(unknown.stdout))
        wide = subprocess.run([AGENT, "scan", "modbus-tcp://127.0.0.0/16"], capture_output=True, text=True, timeout=60)
        self.assertEqual((wide.returncode, wide.stdout), (2, ""))
        self.assertIn("65534 addresses are more than 1024", wide.stderr)

    def answered(self, url: str) -> tuple | None:
        run, points = probe(url, self.profiles)
        return (run, points) if run.returncode == 0 else None

    def test_AnSnmpDeviceIsKnownOverVersion3(self) -> None:
        with self.new_room(Plan()) as room:
            room.start_simulator()
            addresses = room.addresses
            url = (f"snmp://127.0.0.1:{addresses['snmp_port']}?version=3&user={addresses['snmp_user']}&auth=SHA-256&priv=AES"
                   f"&auth_key_file={room.folder / 'auth.key'}&priv_key_file={room.folder / 'priv.key'}")
            for name, key in (("auth", "auth_key"), ("priv", "privacy_key")):
                file = room.folder / f"{name}.key"
                file.write_text(addresses[key])
                file.chmod(0o600)
            run, points = probe(url)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn("(ups_mib)", run.stderr)
            self.assertIn("(apc_rpdu2)", run.stderr)
            charge = next(p for p in points if p["point"] == "battery.charge")
            self.assertEqual((charge["value"], charge["source"]), (100.0, "1.3.6.1.2.1.33.1.2.4.0"))


if __name__ == "__main__":
    main()
