# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Child processes that leave nothing behind, and waiting without sleeping blindly."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

POLL_INTERVAL_S = 0.02
# Sanitizers and emulators make programs slower, not wrong: deadlines stretch by this factor.
PATIENCE = float(os.environ.get("WATCHROOM_PATIENCE", "1"))


class RigError(RuntimeError):
    """Something of the rig (not of the product under test) did not come up or go down."""


class TimedOut(RigError):
    """A condition did not come true before its deadline."""


def wait_until(condition: Callable[[], T], deadline_s: float, what: str) -> T:
    """Polls until the condition returns something true and returns it."""
    deadline_s *= PATIENCE
    end = time.monotonic() + deadline_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= end:
            raise TimedOut(f"after {deadline_s:g} s still waiting for: {what}")
        time.sleep(POLL_INTERVAL_S)


_given_ports: set[int] = set()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A loopback port nobody uses, and never the same twice: who asked before may not have bound it yet.

    It lies below the ephemeral range: a client that keeps reconnecting to a dead server inside that
    range can be given the very port as its own and connect to itself.
    """
    chooser = random.SystemRandom()
    for _ in range(200):
        port = chooser.randrange(20000, 32000)
        if port in _given_ports:
            continue
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port
    raise RigError("no free port found between 20000 and 32000")


def port_is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def program(name: str) -> str:
    """Path of a system program; daemons live in /usr/sbin, which a user's PATH may lack."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
    if path is None:
        raise RigError(f"{name} is not installed; tools/install brings it")
    return path


class Process:
    """One child in a process group of its own, whose output goes to a file.

    The kernel kills it when the rig itself is killed (setpriv --pdeathsig), so that a test which
    runs into ctest's time limit leaves no broker behind.
    """

    def __init__(self, name: str, command: Sequence[str | Path], log_path: Path,
                 environment: Mapping[str, str] | None = None, directory: Path | None = None) -> None:
        self.name = name
        self.command = [str(word) for word in command]
        self.log_path = log_path
        self.environment = dict(os.environ, **(environment or {}))
        self.directory = directory
        self.child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self.child is None:
            raise RigError(f"{self.name} was never started")
        return self.child.pid

    def start(self) -> Process:
        if self.is_running():
            raise RigError(f"{self.name} is already running")
        with self.log_path.open("ab") as log:
            self.child = subprocess.Popen(
                [program("setpriv"), "--pdeathsig", "KILL", *self.command], stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True, cwd=self.directory,
                env=self.environment)
        return self

    def is_running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def require_running(self) -> None:
        if not self.is_running():
            code = self.child.returncode if self.child else None
            raise RigError(f"{self.name} ended with {code}; last lines of {self.log_path}:\n{self.tail()}")

    def signal(self, number: signal.Signals) -> None:
        """To this process alone; `stop` and `kill` take its group."""
        if self.is_running():
            os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL to the group, and waits until the kernel has reaped it."""
        if self.child is None:
            return
        self._signal_group(signal.SIGKILL)
        self.child.wait(timeout=10)

    def stop(self, deadline_s: float = 10.0) -> int:
        """SIGTERM, then SIGKILL when it does not listen. Returns the exit code."""
        if self.child is None:
            return 0
        if self.is_running():
            self._signal_group(signal.SIGTERM)
            try:
                self.child.wait(timeout=deadline_s)
            except subprocess.TimeoutExpired:
                self.kill()
        # Whatever it started itself shares its group, also after it ended on its own.
        self._signal_group(signal.SIGKILL)
        return self.child.wait(timeout=10)

    def wait_for_port(self, port: int, deadline_s: float = 10.0) -> Process:
        def open_or_dead() -> bool:
            self.require_running()
            return port_is_open(port)

        wait_until(open_or_dead, deadline_s, f"{self.name} to listen on port {port}")
        return self

    def cpu_seconds(self) -> float:
        """User and system time of this process so far (proc(5), stat fields 14 and 15)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def tail(self, lines: int = 25) -> str:
        return "\n".join(self.log().splitlines()[-lines:])

    def _signal_group(self, number: signal.Signals) -> None:
        assert self.child is not None
        try:
            os.killpg(self.child.pid, number)  # start_new_session made pid and group id equal
        except (ProcessLookupError, PermissionError):
            pass


class ProcessSet:
    """What was started, so that it is stopped in the opposite order, each by its own pid."""

    def __init__(self, log_folder: Path) -> None:
        self.log_folder = log_folder
        self._started: list[Process] = []

    def spawn(self, name: str, command: Sequence[str | Path], *,
              environment: Mapping[str, str] | None = None, directory: Path | None = None) -> Process:
        process = Process(name, command, self.log_folder / f"{name}.log", environment, directory)
        self._started.append(process)
        return process.start()

    def adopt(self, process: Process) -> None:
        """Also stops a process that was made elsewhere."""
        self._started.append(process)

    def stop_all(self) -> None:
        for process in reversed(self._started):
            process.stop(deadline_s=5.0)
        self._started.clear()


def run(command: Sequence[str | Path], *, deadline_s: float = 30.0, text_input: str | None = None,
        environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A short command to its end; the caller judges the exit code."""
    return subprocess.run(
        [str(word) for word in command], input=text_input or "", text=True, capture_output=True,
        timeout=deadline_s, env=dict(os.environ, **(environment or {})), check=False)
