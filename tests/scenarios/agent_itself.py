# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The agent watches itself: its figures can be read on the spot and at the centre, and what is wrong with it raises an
alarm there."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from story import Plan, Story, main, run, wait_until
from rig.processes import port_is_open
from rig.room import binary, gateway_device, serial_device

TIMEOUT_S = 240
SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\]|\\["\\n])*",?)+\})? (-?[0-9.]+(?:e[+-][0-9]+)?)')
COMMENT = re.compile(r"# (HELP [a-zA-Z_:][a-zA-Z0-9_:]* .+|TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge))")

# The default rules, with less patience.
RULES = """
[[rule]]
id = "agent-bus-errors"
kind = "high_limit"
point = "bus.errors"
unit = "percent"
raise_above = 20.0
clear_below = 10.0
severity = "major"
title_zh = "总线轮询失败率过高"
title_en = "Bus polls fail"

[[rule]]
id = "agent-certificate-unusable"
kind = "state"
point = "certificate.state"
raise_unless = [0, "valid", "expired"]
severity = "major"
title_zh = "证书无法使用"
title_en = "Certificate cannot be used"
"""


def devices(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1, poll_interval_ms=1000),
            serial_device(addresses, "th3", "电池间温湿度", "renke_rs_ws_n01", 1, poll_interval_ms=1000)]


class AgentItself(Story):
    def setUp(self) -> None:
        self.room = self.enterContext(self.new_room(Plan(devices=devices, snmp=False, mail=False, rules=RULES)))

    def ask(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.room.metrics_port}{path}", timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def start(self) -> None:
        self.room.start()
        self.wait_until_served()

    def wait_until_served(self) -> None:
        wait_until(lambda: port_is_open(self.room.metrics_port), 20, "/metrics")

    def figures(self) -> dict[str, float]:
        """Every line must be one of the text format."""
        status, text = self.ask("/metrics")
        self.assertEqual(status, 200)
        series = {}
        for line in text.splitlines():
            if line.startswith("#"):
                self.assertRegex(line, COMMENT)
                continue
            found = SAMPLE.fullmatch(line)
            self.assertIsNotNone(found, line)
            series[found[1].removeprefix("watchroom_agent_") + (found[2] or "")] = float(found[3])
        return series

    def figure_becomes(self, name: str, value: float, deadline_s: float = 20) -> None:
        wait_until(lambda: self.figures().get(name) == value, deadline_s, f"{name} to be {value:g}")

    def test_ItsFiguresAreTrueAndReachTheCentre(self) -> None:
        room = self.room
        self.start()
        wait_until(lambda: self.figures()["link_connected"] == 1, 20, "a session")
        figures = self.figures()
        status = Path(f"/proc/{room.agent.pid}/status").read_text()
        resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024
        self.assertAlmostEqual(figures["process_resident_memory_bytes"], resident, delta=resident / 10)
        self.assertEqual(figures["process_threads"], int(re.search(r"Threads:\s+(\d+)", status)[1]))
        self.assertAlmostEqual(figures["process_open_fds"], len(os.listdir(f"/proc/{room.agent.pid}/fd")), delta=3)
        self.assertAlmostEqual(figures["process_cpu_seconds_total"], room.agent.cpu_seconds(), delta=0.5)
        disk = os.statvfs(room.agent_folder / "data")
        self.assertEqual(figures["disk_size_bytes"], disk.f_blocks * disk.f_frsize)
        self.assertGreater(figures['certificate_remaining_seconds{certificate="client"}'], 0)
        self.check_with_promtool()

        gateway = f'{{bus="modbus-tcp 127.0.0.1:{room.addresses["modbus_port"]}"}}'
        polls = gateway.replace("}", ',result="ok"}')
        wait_until(lambda: self.figures()[f"bus_polls_total{polls}"] >= 3, 20, "three polls")
        self.assertEqual(self.figures()[f"bus_devices_lost{gateway}"], 0)
        self.assertLess(self.figures()[f"bus_load_ratio{gateway}"], 0.5)

        for point in ("agent.cpu", "agent.memory", "agent.disk_used", "journal.state", "certificate[client].days",
                      "device.uptime"):
            room.wait_until_good("self", point, 30)
        load = f"modbus-tcp-127-0-0-1-{room.addresses['modbus_port']}"
        # It is announced once something was polled, by a birth of its own.
        wait_until(lambda: f"hq/room1/self/bus[{load}].load" in room.rest.points(device="self"), 30, "the bus's load")
        seen = room.rest.points(device="self")
        self.assertAlmostEqual(room.point("self", "agent.memory")["value"], resident, delta=resident / 2)
        device = next(one for one in room.rest.agents()["hq/room1"]["devices"] if one["id"] == "self")
        self.tell(f"the centre knows {len(seen)} points of the device self: {device['name']}, {device['model']}")
        self.assertEqual((device["maker"], device["model"], device["communication"]), ("Watchroom", "agent", "ok"))
        wait_until(lambda: self.ask("/healthz")[0] == 200, 20, "health")
        self.assertIn("2 devices, 0 lost", self.ask("/healthz")[1])

    def check_with_promtool(self) -> None:
        promtool = shutil.which("promtool")
        if promtool is None:
            self.tell("promtool (package prometheus) is not installed: its check is left out")
            return
        done = subprocess.run([promtool, "check", "metrics"], input=self.ask("/metrics")[1], text=True,
                              capture_output=True, timeout=30, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_ADeadLineShowsInTheFiguresAndRaisesAnAlarm(self) -> None:
        room = self.room
        self.start()
        room.wait_until_good("th3", "ambient.temperature")
        line = f'{{bus="{room.addresses["line"]}"}}'
        room.order("silence unit 1 line")
        self.figure_becomes(f"bus_devices_lost{line}", 1)
        wait_until(lambda: self.figures()[f"bus_errors_ratio{line}"] > 0.2, 60, "errors")
        silent = line.replace("}", ',result="no_answer"}')
        self.assertGreater(self.figures()[f"bus_polls_total{silent}"], 0)
        alarm = room.wait_for_alarm("agent-bus-errors", "self", deadline_s=30)
        self.tell(f"alarm on {alarm['point']}")
        gateway = f'{{bus="modbus-tcp 127.0.0.1:{room.addresses["modbus_port"]}"}}'
        self.assertEqual(self.figures()[f"bus_devices_lost{gateway}"], 0)

    def test_ACertificateThatIsRemovedIsMissedBeforeTheNextSession(self) -> None:
        room = self.room
        self.start()
        wait_until(lambda: self.ask("/healthz")[0] == 200, 20, "health")
        certificate = room.authority.client("room1").certificate_file
        aside = certificate.with_suffix(".aside")
        certificate.rename(aside)
        self.figure_becomes('certificate_state{certificate="client"}', 3)
        self.assertNotIn('certificate_remaining_seconds{certificate="client"}', self.figures())
        status, text = self.ask("/healthz")
        self.assertEqual((status, text), (503, "the client certificate cannot be read\n"))
        room.wait_for_alarm("agent-certificate-unusable", "self", deadline_s=30)
        self.assertEqual(self.figures()["link_connected"], 1, "an open connection goes on")
        aside.rename(certificate)
        wait_until(lambda: not room.find_alarm("agent-certificate-unusable", "self")["is_active"], 60,
                   "the alarm to clear")

    def test_AFullDiskShowsInTheFiguresAndRaisesAlarms(self) -> None:
        room = self.room
        if run(["unshare", "--user", "--map-root-user", "--mount", "true"]).returncode != 0:
            self.skipTest("no user namespaces here: a small disk cannot be made")
        room.start_simulator()
        room.broker.start()
        room.start_aggregator()
        settings = room.write_agent_settings()
        data = room.agent_folder / "data"
        data.mkdir()
        # A disk of its own, seen by the agent alone; gone with it.
        room.agent = room.processes.spawn("agent", [
            "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
            'mount -t tmpfs -o size=6m tmpfs "$1" && exec "$2" run "$3"', "sh", data, binary("watchroom-agent"), settings])
        self.wait_until_served()
        room.wait_until_good("self", "agent.disk_used", 30)
        self.assertLess(self.figures()["disk_used_ratio"], 0.9)
        self.assertEqual(self.figures()["disk_size_bytes"], 6 << 20)

        filler = Path(f"/proc/{room.agent.pid}/root{data}/filler")
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                pass
        self.assertGreater(self.figures()["disk_used_ratio"], 0.97)
        room.wait_for_alarm("agent-disk-full", "self", deadline_s=45)
        self.figure_becomes("journal_state", 2, 60)
        self.assertIn("the journal cannot be written", self.ask("/healthz")[1])
        room.wait_for_alarm("agent-journal-not-durable", "self", deadline_s=45)
        self.assertGreater(self.figures()["journal_failed_commits_total"], 0)
        filler.unlink()
        self.figure_becomes("journal_state", 0, 60)
        wait_until(lambda: not room.find_alarm("agent-journal-not-durable", "self")["is_active"], 60, "the all-clear")

    def test_APortThatIsTakenCostsTheMetricsAndNothingElse(self) -> None:
        room = self.room
        with socket.create_server(("127.0.0.1", room.metrics_port)):
            room.start()
            room.wait_until_good("self", "agent.cpu", 30)
        self.assertIn(f"no /metrics: 127.0.0.1:{room.metrics_port}: Address already in use", room.agent.log())

    def test_ItCanBeSwitchedOff(self) -> None:
        room = self.room
        room.start_simulator()
        room.broker.start()
        room.start_aggregator()
        settings = room.write_agent_settings("[self]\nenabled = false\n")
        text = settings.read_text()
        settings.write_text(text.replace(f"127.0.0.1:{room.metrics_port}", ""))
        room.agent = room.processes.spawn("agent", [binary("watchroom-agent"), "run", settings])
        room.wait_until_good("th1", "ambient.temperature")
        self.assertEqual({one["id"] for one in room.rest.agents()["hq/room1"]["devices"]}, {"th1", "th3"})
        with self.assertRaises(OSError):
            self.ask("/metrics")

    def test_NoDeviceMayBeCalledSelf(self) -> None:
        room = self.room
        room.start_simulator()
        settings = room.write_agent_settings()
        settings.write_text(settings.read_text().replace('"th1"', '"Self"'))
        done = run([binary("watchroom-agent"), "check", settings])
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r'agent\.toml:\d+: device\[0\]\.id: "Self" is the agent\'s own, expected another id')


if __name__ == "__main__":
    main()
