# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Writes the daemons' settings. A scenario changes what it is about and leaves the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rig.certificates import Identity

Scalar = str | int | float | bool
Setting = Scalar | list[Scalar]


def toml(value: Setting) -> str:
    """JSON's strings, numbers, booleans and flat arrays are TOML's too."""
    return json.dumps(value, ensure_ascii=False)


def table(name: str, settings: Mapping[str, Setting | Path]) -> str:
    lines = [f"[{name}]"] if name else []
    lines += [f"{key} = {toml(str(value) if isinstance(value, Path) else value)}"
              for key, value in settings.items()]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Device:
    """One `[[device]]` of agent.toml."""

    id: str
    name: str
    profile: str
    address: str
    class_: str = "core"
    more: Mapping[str, Setting] = field(default_factory=dict)

    def text(self) -> str:
        settings: dict[str, Setting | Path] = {
            "id": self.id, "name": self.name, "profile": self.profile, "address": self.address,
            "class": self.class_}
        return table("[device]", settings | dict(self.more))


@dataclass
class BrokerSettings:
    port: int
    ca_file: Path
    identity: Identity
    reconnect_min_ms: int = 100
    reconnect_max_ms: int = 1000
    keepalive_s: int = 10

    def text(self) -> str:
        return table("broker", {
            "host": "127.0.0.1", "port": self.port, "ca_file": self.ca_file,
            "certificate_file": self.identity.certificate_file, "key_file": self.identity.key_file,
            "keepalive_s": self.keepalive_s, "reconnect_min_ms": self.reconnect_min_ms,
            "reconnect_max_ms": self.reconnect_max_ms})


def agent_text(site: str, agent: str, name: str, broker: BrokerSettings, devices: Iterable[Device],
               journal: Mapping[str, Setting], classes: Mapping[str, tuple[int, int]],
               metrics_port: int | None = None) -> str:
    metrics = f"127.0.0.1:{metrics_port}" if metrics_port else ""
    parts = [table("", {"site": site, "agent": agent, "name": name, "data_dir": "data"}), broker.text(),
             table("journal", journal), table("metrics", {"listen": metrics})]
    if classes:
        inner = ", ".join(f"{word} = {{ poll_interval_ms = {poll}, max_silence_s = {silence} }}"
                          for word, (poll, silence) in classes.items())
        parts.append("[classes]\n" + inner.replace("}, ", "}\n") + "\n")
    return "\n".join(parts + [device.text() for device in devices])


@dataclass
class MailSettings:
    server: str
    ca_file: Path
    user: str
    password_file: Path
    starttls: str = "required"
    retry_min_s: int = 1
    retry_max_s: int = 5
    timeout_s: int = 8

    def text(self) -> str:
        return table("email", {
            "server": self.server, "starttls": self.starttls, "ca_file": self.ca_file, "user": self.user,
            "password_file": self.password_file, "from": "watchroom@room.example",
            "to": ["duty@room.example"], "language": "zh", "retry_min_s": self.retry_min_s,
            "retry_max_s": self.retry_max_s,
            "timeout_s": self.timeout_s})


def aggregator_text(host_id: str, broker: BrokerSettings, web_port: int, web: Identity, rules: bool,
                    alarms: Mapping[str, Setting], store: Mapping[str, Setting],
                    mail: MailSettings | None, enrolment: Mapping[str, Setting | Path] | None = None) -> str:
    all_alarms: dict[str, Setting | Path] = dict(alarms)
    if rules:
        all_alarms["rules_file"] = "rules.toml"
    parts = [table("", {"host_id": host_id, "data_dir": "data"}), broker.text(),
             table("store", dict(store)) if store else "",
             table("web", {"listen": f"127.0.0.1:{web_port}", "certificate_file": web.certificate_file,
                           "key_file": web.key_file, "users_file": "users.toml"}),
             table("alarms", all_alarms) if all_alarms else "", mail.text() if mail else "",
             table("enrolment", enrolment) if enrolment is not None else ""]
    return "\n".join(part for part in parts if part)
