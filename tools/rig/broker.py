# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A private mosquitto as the product wants it: TLS 1.2+, client certificates, one ACL per CN."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rig.certificates import Authority, Identity
from rig.house_authority import HouseAuthority
from rig.processes import Process, ProcessSet, free_port, program

NODE_MESSAGES = ("NBIRTH", "NDATA", "NDEATH")
DEVICE_MESSAGES = ("DBIRTH", "DDATA", "DDEATH")


def access_rules(host_id: str, observers: tuple[str, ...]) -> str:
    """mosquitto.conf(5) acl_file. `%u` is the certificate's CN: an agent writes under its own only."""
    lines = ["# Every certificate: an edge node of its own name"]
    lines += [f"pattern write spBv1.0/+/{kind}/%u" for kind in NODE_MESSAGES]
    lines += [f"pattern write spBv1.0/+/{kind}/%u/+" for kind in DEVICE_MESSAGES]
    lines += ["pattern read spBv1.0/+/NCMD/%u", "pattern read spBv1.0/+/DCMD/%u/+",
              "pattern read spBv1.0/STATE/+"]
    lines += ["", f"user {host_id}", "topic read spBv1.0/#", "topic write spBv1.0/+/NCMD/+",
              "topic write spBv1.0/+/DCMD/+/+", f"topic write spBv1.0/STATE/{host_id}"]
    for observer in observers:
        lines += ["", f"user {observer}", "topic read spBv1.0/#"]
    return "\n".join(lines) + "\n"


class Broker:
    """Owns the broker's folder and process; the port stays the same over restarts."""

    def __init__(self, folder: Path, processes: ProcessSet, authority: Authority, host_id: str,
                 observers: tuple[str, ...] = ("observer",)) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._begin(folder, processes)
        rules = folder / "acl"
        rules.write_text(access_rules(host_id, observers))
        rules.chmod(0o600)
        self._configure(authority.ca_file, authority.server("broker"), rules)

    @classmethod
    def of_house(cls, folder: Path, processes: ProcessSet, house: HouseAuthority) -> Broker:
        """With the files that the aggregator writes, and what the README tells to add to them."""
        broker = cls.__new__(cls)
        broker._begin(folder, processes)
        broker._configure(folder / "ca.pem", house.server("broker"), folder / "acl", [
            f"crlfile {folder / 'crl.pem'}", "use_username_as_clientid true", f"pid_file {house.broker_pid_file}"])
        return broker

    def _begin(self, folder: Path, processes: ProcessSet) -> None:
        self.port = free_port()
        self._processes = processes
        self._config = folder / "mosquitto.conf"
        self.process: Process | None = None

    def _configure(self, ca_file: Path, identity: Identity, rules: Path, more: Sequence[str] = ()) -> None:
        self._config.write_text("\n".join([
            # mosquitto started by root becomes the user "mosquitto", who cannot read this folder.
            *(["user root"] if os.geteuid() == 0 else []),
            "per_listener_settings false",
            f"listener {self.port} 127.0.0.1",
            f"cafile {ca_file}",
            f"certfile {identity.certificate_file}",
            f"keyfile {identity.key_file}",
            "tls_version tlsv1.2",
            "require_certificate true",
            "use_identity_as_username true",
            "allow_anonymous false",
            f"acl_file {rules}",
            *more,
            "persistence false",
            # The default of 1 000 drops QoS 0 silently towards a host that stalls for a moment.
            "max_queued_messages 200000",
            "max_inflight_messages 200",
            "set_tcp_nodelay true",
            "connection_messages true",
            "log_dest stderr",
            "log_type error", "log_type warning", "log_type notice", "log_type subscribe",
            "log_timestamp_format %Y-%m-%dT%H:%M:%S",
        ]) + "\n")

    def start(self) -> Broker:
        if self.process is None:
            self.process = self._processes.spawn("broker", [program("mosquitto"), "-c", self._config])
        else:
            self.process.start()
        self.process.wait_for_port(self.port)
        return self

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()

    def stop(self) -> None:
        assert self.process is not None
        self.process.stop()
