# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The agent under a service manager: what it tells systemd, and the unit file it is started by."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
from pathlib import Path

from story import Plan, Story, main, run, stays_true, wait_until
from rig.room import binary, binary_folder, gateway_device

TIMEOUT_S = 90
MOST_EXPOSED = 2.5  # of 10; above 5 systemd says MEDIUM, above 7 EXPOSED


def devices(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1)]


class Manager:
    """systemd's end of the notification socket."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.socket.setblocking(False)
        self.told: list[str] = []

    def count(self, pattern: str) -> int:
        """Lines like it so far."""
        while True:
            try:
                self.told += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return sum(re.fullmatch(pattern, line) is not None for line in self.told)

    def hears(self, pattern: str, times: int = 1, deadline_s: float = 10) -> None:
        wait_until(lambda: self.count(pattern) >= times, deadline_s, f"{pattern} {times} times")


class ServiceManager(Story):
    def test_TheAgentSaysThatItIsReadyAndWellAndWhenItStops(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, mail=False)) as room:
            manager = Manager(room.folder)
            room.start_simulator()
            room.broker.start()
            settings = room.write_agent_settings()
            room.agent = room.processes.spawn("agent", [binary("watchroom-agent"), "run", settings], environment={
                "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "1000000"})
            manager.hears("READY=1")
            manager.hears("WATCHDOG=1", 5)
            manager.hears(r"STATUS=1 devices, 0 lost; \d+ records waiting", deadline_s=20)
            self.assertEqual(manager.count("STOPPING=1"), 0)
            room.agent.signal(signal.SIGTERM)
            manager.hears("STOPPING=1")
            wait_until(lambda: not room.agent.is_running(), 10, "the end")  # a second signal would end it at once
            self.assertEqual(room.agent.stop(), 0)
            self.assertEqual(manager.count("READY=1"), 1)

    def test_AnAgentThatStandsStillIsNoLongerWell(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, mail=False)) as room:
            manager = Manager(room.folder)
            room.start_simulator()
            settings = room.write_agent_settings()
            room.agent = room.processes.spawn("agent", [binary("watchroom-agent"), "run", settings], environment={
                "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "400000"})
            manager.hears("WATCHDOG=1", 3)
            room.agent.signal(signal.SIGSTOP)
            wait_until(lambda: "T" in Path(f"/proc/{room.agent.pid}/stat").read_text().rpartition(")")[2].split()[0],
                       5, "the stop")
            before = manager.count("WATCHDOG=1")
            self.assertTrue(stays_true(lambda: manager.count("WATCHDOG=1") == before, 2))
            room.agent.signal(signal.SIGCONT)
            manager.hears("WATCHDOG=1", before + 1)

    def test_SettingsThatAreWrongAreNeverReady(self) -> None:
        folder = self.new_folder()
        manager = Manager(folder)
        (folder / "agent.toml").write_text("nonsense = 1\n")
        done = run([binary("watchroom-agent"), "run", folder / "agent.toml"],
                   environment={"NOTIFY_SOCKET": str(manager.path)})
        self.assertEqual(done.returncode, 2)
        self.assertEqual(manager.count("READY=1"), 0)

    def unit(self) -> Path:
        built = Path(os.environ.get("WATCHROOM_BUILD_DIR", binary_folder().parent)) / "agent" / "watchroom-agent.service"
        text = re.sub(r"^ExecStart=\S+", f"ExecStart={binary('watchroom-agent')}", built.read_text(), flags=re.M)
        unit = self.new_folder() / "watchroom-agent.service"
        unit.write_text(text)
        return unit

    def systemd_analyze(self, *words: str | Path) -> str:
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze (package systemd) is not installed")
        done = run(["systemd-analyze", *words])
        output = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, output)
        return output

    def test_TheUnitFileIsUnderstood(self) -> None:
        output = self.systemd_analyze("verify", "--man=no", self.unit())
        ours = [line for line in output.splitlines() if "watchroom-agent" in line]
        self.assertEqual(ours, [], output)

    def test_TheUnitFileLeavesLittleExposed(self) -> None:
        output = self.systemd_analyze("security", "--no-pager", "--offline=true", f"--threshold={MOST_EXPOSED * 10:.0f}", self.unit())
        self.tell(output.splitlines()[-1])
        self.assertRegex(output, r"Overall exposure level")


if __name__ == "__main__":
    main()
