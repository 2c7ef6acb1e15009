# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The product's own certificate authority, used as a site uses it: by its commands, before broker and aggregator run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rig.certificates import Identity
from rig.processes import RigError, free_port, run

OBSERVERS = ("observer", "watcher")


class HouseAuthority:
    """Owns aggregator.toml's [enrolment] and the folder that aggregator and broker share."""

    def __init__(self, program: Callable[[str], Path], aggregator_folder: Path, broker_folder: Path,
                 settings: dict[str, int] | None = None) -> None:
        broker_folder.mkdir(parents=True, exist_ok=True)
        aggregator_folder.mkdir(parents=True, exist_ok=True)
        self._program = program
        self._settings_file = aggregator_folder / "aggregator.toml"
        self._certificates = aggregator_folder / "certificates"
        self.broker_folder = broker_folder
        self.broker_pid_file = broker_folder / "mosquitto.pid"
        self.port = free_port()
        self.folder = aggregator_folder / "data" / "authority"
        self.ca_file = broker_folder / "ca.pem"
        more = aggregator_folder / "more_acl"
        more.write_text("\n".join(f"user {name}\ntopic read spBv1.0/#" for name in OBSERVERS) + "\n")
        self.settings = {
            "listen": f"127.0.0.1:{self.port}", "names": ["127.0.0.1", "localhost"],
            "broker_folder": str(broker_folder), "broker_pid_file": str(self.broker_pid_file),
            "more_acl_file": str(more)} | (settings or {})

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def host(self, host_id: str) -> Identity:
        """The aggregator's own; `prepare` has named the files."""
        identity = self.host_files(host_id)
        if not identity.certificate_file.exists():
            self._command("issue-host")
        return identity

    def host_files(self, host_id: str) -> Identity:
        return Identity(host_id, self._certificates / "host.pem", self._certificates / "host.key")

    def server(self, name: str) -> Identity:
        return self._issue("issue-server", name, "--name", "localhost", "--name", "127.0.0.1")

    def client(self, name: str) -> Identity:
        return self._issue("issue-client", name, "--name", name)

    def _issue(self, command: str, name: str, *more: str) -> Identity:
        identity = Identity(name, self._certificates / f"{name}.pem", self._certificates / f"{name}.key")
        if not identity.certificate_file.exists():
            self._command(command, *more, "--certificate", identity.certificate_file, "--key", identity.key_file)
        return identity

    def _command(self, command: str, *more: str | Path) -> None:
        done = run([self._program("watchroom-aggregator"), "authority", command, self._settings_file, *more])
        if done.returncode != 0:
            raise RigError(f"authority {command}: {done.stdout}{done.stderr}")
