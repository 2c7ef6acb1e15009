# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""One unknown device, asked what it is: over each Modbus transport, and over SNMPv3."""

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

    def test_AModbusUnitIsKnownByItsIdentificationOverEveryTransport(self) -> None:
        peer = REPOSITORY / "tests" / "peers" / "modbus_unit.py"
        tcp, rtu_tcp = free_port(), free_port()
        ends = [self.folder / "device", self.folder / "agent"]
        self.serve("socat", program("socat"), *[f"pty,raw,echo=0,link={end}" for end in ends])
        wait_until(lambda: all(end.exists() for end in ends), 10, "the line")
        self.serve("tcp", "/usr/bin/python3", "-B", peer, "tcp", str(tcp)).wait_for_port(tcp)
        self.serve("rtu-tcp", "/usr/bin/python3", "-B", peer, "rtu-tcp", str(rtu_tcp)).wait_for_port(rtu_tcp)
        self.serve("rtu", "/usr/bin/python3", "-B", peer, "rtu", str(ends[0]))
        for url in (f"modbus-tcp://127.0.0.1:{tcp}?unit=1", f"modbus-rtu-tcp://127.0.0.1:{rtu_tcp}?unit=1",
                    f"modbus-rtu://{ends[1]}?baud=9600&unit=1"):
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
