# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A whole room: simulated devices, agent, broker, aggregator, mail sink, all on loopback."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig import settings
from rig.broker import Broker
from rig.certificates import Authority, Identity
from rig.house_authority import HouseAuthority
from rig.mail_sink import MailSink
from rig.observer import EVERYTHING, REPOSITORY, Observer
from rig.oracle import Store
from rig.processes import Process, ProcessSet, RigError, TimedOut, free_port, run, wait_until
from rig.rest import Refused, Rest, Unreachable
from simulated_room.main import send

HOST_ID = "watchroom"
SANITIZER_WORDS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                   "WARNING: ThreadSanitizer")
ADMINISTRATOR = "admin"


def binary_folder() -> Path:
    return Path(os.environ.get("WATCHROOM_BIN_DIR", REPOSITORY / "build" / "bin"))


def binary(name: str) -> Path:
    path = binary_folder() / name
    if not path.exists():
        raise RigError(f"{path} is not built; run: cmake --preset dev && cmake --build --preset dev")
    return path


@dataclass
class Plan:
    """What kind of room. `devices` gets the simulator's addresses and returns the agent's device list."""

    site: str = "hq"
    agent: str = "room1"
    agent_name: str = "一号机房"
    devices: Callable[[Mapping[str, Any]], list[settings.Device]] | None = None
    journal: Mapping[str, settings.Setting] = field(default_factory=dict)
    classes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    alarms: Mapping[str, settings.Setting] = field(default_factory=dict)
    store: Mapping[str, settings.Setting] = field(default_factory=dict)
    rules: str = ""
    simulator: tuple[str, ...] = ()
    snmp: bool = True
    counter: bool = False
    mail: bool = True
    starttls: bool = True
    # The product's own authority certifies agent, broker and aggregator; [enrolment] gets these settings too.
    enrolment: dict[str, int] | None = None


def gateway_device(addresses: Mapping[str, Any], id_: str, name: str, profile: str, unit: int,
                   class_: str = "core", **more: settings.Setting) -> settings.Device:
    return settings.Device(id_, name, profile,
                           f"modbus-tcp://127.0.0.1:{addresses['modbus_port']}?unit={unit}", class_, more)


def serial_device(addresses: Mapping[str, Any], id_: str, name: str, profile: str, unit: int,
                  class_: str = "core", **more: settings.Setting) -> settings.Device:
    speed = f"baud={addresses['baud']}&parity={addresses['parity']}"
    address = f"modbus-rtu://{addresses['line']}?{speed}&unit={unit}"
    return settings.Device(id_, name, profile, address, class_, more)


def secure_snmp_device(addresses: Mapping[str, Any], id_: str, name: str, profile: str, class_: str = "core",
                       **more: settings.Setting) -> settings.Device:
    address = (f"snmp://127.0.0.1:{addresses['snmp_port']}?version=3&user={addresses['snmp_user']}"
               "&auth=SHA-256&priv=AES")
    keys: dict[str, settings.Setting] = {"auth_key_file": "snmp_auth.key", "priv_key_file": "snmp_priv.key"}
    return settings.Device(id_, name, profile, address, class_, keys | more)


def community_snmp_device(addresses: Mapping[str, Any], id_: str, name: str, profile: str,
                          class_: str = "core", **more: settings.Setting) -> settings.Device:
    keys: dict[str, settings.Setting] = {"community_file": "snmp.community"}
    return settings.Device(id_, name, profile, f"snmp://127.0.0.1:{addresses['snmp_port']}", class_,
                           keys | more)


def leak_sensor(addresses: Mapping[str, Any]) -> settings.Device:
    return serial_device(addresses, "leak1", "北侧水浸", "rle_ld2000", 3, poll_interval_ms=1000)


def counter_device(addresses: Mapping[str, Any], poll_interval_ms: int = 100) -> settings.Device:
    profile = str(REPOSITORY / "tests" / "peers" / "counter.toml")
    return gateway_device(addresses, "counter1", "计数器", profile, 9, poll_interval_ms=poll_interval_ms)


def whole_room(addresses: Mapping[str, Any]) -> list[settings.Device]:
    """One of every kind, as the demo shows it."""
    return [
        leak_sensor(addresses),
        serial_device(addresses, "th3", "电池间温湿度", "renke_rs_ws_n01", 1),
        gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1),
        gateway_device(addresses, "meter1", "进线电表", "eastron_sdm630", 3, "key"),
        gateway_device(addresses, "ups2", "二号 UPS", "huawei_ups2000", 4, "key"),
        gateway_device(addresses, "gas1", "七氟丙烷钢瓶", "mpd380_gas_cylinder", 5, "key"),
        gateway_device(addresses, "contacts1", "烟感与门磁", "waveshare_modbus_rtu_io_8ch", 6),
        secure_snmp_device(addresses, "ups1", "一号 UPS", "ups_mib"),
        community_snmp_device(addresses, "pdu1", "A1 机柜 PDU", "apc_rpdu2", "key"),
    ]


class Room:
    """Owns a folder and every process in it. Use as a context manager; `with Room(plan) as room`.

    A folder of its own is removed when all went well and kept, with all logs, when an exception passes; a folder
    that was given belongs to the giver.
    """

    def __init__(self, plan: Plan | None = None, folder: Path | None = None) -> None:
        self.plan = plan or Plan()
        self.owns_folder = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="watchroom-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs = self.folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self.processes = ProcessSet(self.logs)
        self.authority = Authority(self.folder / "certificates")
        self.web_port = free_port()
        self.metrics_port = free_port()
        self.counter_log = self.folder / "counter.log"
        self.password = secrets.token_urlsafe(9)
        self.agent_folder = self.folder / "agent"
        self.aggregator_folder = self.folder / "aggregator"
        self.addresses: dict[str, Any] = {}
        self.simulator: Process | None = None
        self.agent: Process | None = None
        self.aggregator: Process | None = None
        self.mail_sink: MailSink | None = None
        self._rest: Rest | None = None
        self.house: HouseAuthority | None = None
        if self.plan.enrolment is None:
            self.broker = Broker(self.folder / "broker", self.processes, self.authority, HOST_ID)
        else:
            self.house = self._found_house(self.plan.enrolment)
            self.broker = Broker.of_house(self.folder / "broker", self.processes, self.house)

    def __enter__(self) -> Room:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.stop()
        complaints = self.sanitizer_complaints()
        if self.owns_folder:
            if kind is not None or complaints or "WATCHROOM_KEEP" in os.environ:
                print(f"logs and data are kept in {self.folder}", file=sys.stderr, flush=True)
            else:
                shutil.rmtree(self.folder, ignore_errors=True)
        if kind is None and complaints:
            raise AssertionError("\n".join(complaints))

    def sanitizer_complaints(self) -> list[str]:
        """A daemon that was killed on purpose has no exit code to judge it by; its log has."""
        return [f"{path.name}: {line}" for path in sorted(self.logs.glob("a*.log"))
                for line in path.read_text(errors="replace").splitlines()
                if any(words in line for words in SANITIZER_WORDS)]

    def stop(self) -> None:
        self.processes.stop_all()

    # Parts, in the order in which they are needed.

    def start_simulator(self) -> None:
        folder = self.folder / "room"
        # Chosen here, where the ports of all other parts are: each process only knows those it gave out itself.
        more = ["--modbus-port", str(free_port()), "--snmp-port", str(free_port(socket.SOCK_DGRAM))]
        more += ["--no-snmp"] if not self.plan.snmp else []
        more += ["--counter-log", str(self.counter_log)] if self.plan.counter else []
        self.simulator = self.processes.spawn("simulator", [
            REPOSITORY / "tools" / "simulator", "serve", "--folder", folder, *more, *self.plan.simulator])
        ready = folder / "ready.json"

        def is_ready() -> bool:
            assert self.simulator is not None
            self.simulator.require_running()
            return ready.exists()

        wait_until(is_ready, 15, "the simulated room")
        self.addresses = json.loads(ready.read_text())

    def order(self, command: str) -> dict[str, Any]:
        """Something happens in the room; the reply says when."""
        reply: dict[str, Any] = send(Path(self.addresses["control"]), command)
        if not reply["ok"]:
            raise RigError(f"the simulated room refuses '{command}': {reply['error']}")
        return reply

    def start_mail_sink(self) -> MailSink:
        self.mail_sink = MailSink(self.folder / "mail", self.processes, self.authority.server("mail"),
                                  "watchroom", secrets.token_urlsafe(12)).wait()
        return self.mail_sink

    def start_aggregator(self) -> None:
        if self.aggregator is None:
            self._write_aggregator_settings()
            self.aggregator = self.processes.spawn(
                "aggregator", [binary("watchroom-aggregator"), "run", self.aggregator_folder / "aggregator.toml"])
        else:
            self.aggregator.start()
        self.aggregator.wait_for_port(self.web_port, 20)

    def start_agent(self) -> None:
        if self.agent is None:
            self.write_agent_settings()
            if self.house is not None:
                self.enrol_agent()
            self.agent = self.processes.spawn(
                "agent", [binary("watchroom-agent"), "run", self.agent_folder / "agent.toml"])
        else:
            self.agent.start()
        self.agent.require_running()

    def start(self) -> Room:
        self.start_simulator()
        self.broker.start()
        if self.plan.mail:
            self.start_mail_sink()
        self.start_aggregator()
        self.start_agent()
        return self

    # Views on it.

    @property
    def rest(self) -> Rest:
        if self._rest is None:
            token = (self.aggregator_folder / "token").read_text().strip()
            self._rest = Rest(self.web_port, self.authority.ca_file, token)
        return self._rest

    @property
    def store(self) -> Store:
        return Store(self.aggregator_folder / "data")

    def observe(self, name: str = "observer") -> Observer:
        """A subscriber to everything; returns when the broker has its subscription."""
        assert self.broker.process is not None
        broker = self.broker.process
        before = broker.log().count(f" {EVERYTHING}\n")
        # In a house of its own a name is one session, and there are two names.
        authority = self.house or self.authority
        identity = authority.client(name if self.house else "observer")
        observer = Observer(self.processes, self.logs, self.broker.port, authority.ca_file, identity, name)
        wait_until(lambda: broker.log().count(f" {EVERYTHING}\n") > before, 10, "the observer's subscription")
        return observer

    def address(self, device: str, point: str) -> str:
        return f"{self.plan.site}/{self.plan.agent}/{device}/{point}"

    def point(self, device: str, point: str) -> dict[str, Any] | None:
        try:
            return self.rest.points(device=device).get(self.address(device, point))
        except (Unreachable, Refused):
            return None

    def wait_for_point(self, device: str, point: str, condition: Callable[[dict[str, Any]], bool],
                       deadline_s: float, what: str) -> dict[str, Any]:
        def met() -> dict[str, Any] | None:
            for process in (self.agent, self.aggregator):
                if process is not None:
                    process.require_running()
            found = self.point(device, point)
            return found if found is not None and condition(found) else None

        try:
            return wait_until(met, deadline_s, f"{self.address(device, point)}: {what}")  # type: ignore[return-value]
        except TimedOut as error:
            raise TimedOut(f"{error}; it is {self.point(device, point)}") from None

    def wait_until_good(self, device: str, point: str, deadline_s: float = 20.0) -> dict[str, Any]:
        return self.wait_for_point(device, point, lambda p: p["quality"] == "good", deadline_s, "good")

    def find_alarm(self, rule: str, device: str | None = None, active: bool | None = None,
                   state: str = "all") -> dict[str, Any] | None:
        try:
            alarms = self.rest.alarms(state)
        except (Unreachable, Refused):
            return None
        for alarm in alarms:
            if alarm["rule"] == rule and device in (None, alarm["device"]) and active in (
                    None, alarm["is_active"]):
                return alarm
        return None

    def wait_for_alarm(self, rule: str, device: str | None = None, active: bool | None = True,
                       deadline_s: float = 15.0) -> dict[str, Any]:
        return wait_until(lambda: self.find_alarm(rule, device, active), deadline_s,
                          f"alarm {rule} of {device} (active: {active})")  # type: ignore[return-value]

    def command(self, *words: str) -> Any:
        """The `watchroom` command line against this aggregator."""
        return run([binary("watchroom"), *words, "--url", f"https://127.0.0.1:{self.web_port}", "--ca-file",
                    self.authority.ca_file, "--token-file", self.aggregator_folder / "token"])

    # Files.

    def write_agent_settings(self, extra: str = "") -> Path:
        self.agent_folder.mkdir(exist_ok=True)
        for name, secret in (("snmp_auth.key", "auth_key"), ("snmp_priv.key", "privacy_key"),
                             ("snmp.community", "community")):
            path = self.agent_folder / name
            path.write_text(self.addresses.get(secret, "none") + "\n")
            path.chmod(0o600)
        devices = (self.plan.devices or whole_room)(self.addresses)
        text = settings.agent_text(
            self.plan.site, self.plan.agent, self.plan.agent_name,
            self._broker_settings(self.plan.agent), devices, self.plan.journal, self.plan.classes,
            self.metrics_port)
        if self.house is not None:
            text += settings.table("enrolment", {"url": self.house.url})
        path = self.agent_folder / "agent.toml"
        path.write_text(text + extra)
        return path

    def enrol_agent(self, environment: Mapping[str, str] | None = None) -> None:
        """As a person does it: a token from the centre, then the agent's own command."""
        token = self.agent_folder / "token"
        token.unlink(missing_ok=True)
        done = self.command("enrol", f"{self.plan.site}/{self.plan.agent}", "--out", str(token))
        if done.returncode == 0:
            assert self.house is not None
            done = run([binary("watchroom-agent"), "enrol", self.house.url, "--token-file", token,
                        self.agent_folder / "agent.toml"], environment=environment)
        if done.returncode != 0:
            raise RigError(f"the agent could not be enrolled: {done.stdout}{done.stderr}")

    def _found_house(self, more: dict[str, int]) -> HouseAuthority:
        house = HouseAuthority(binary, self.aggregator_folder, self.folder / "broker", more)
        # Enough of aggregator.toml for `authority`; the whole of it is written when its parts are known.
        own = house.host_files(HOST_ID)
        (self.aggregator_folder / "aggregator.toml").write_text(
            settings.table("", {"host_id": HOST_ID, "data_dir": "data"})
            + settings.table("broker", {"ca_file": house.ca_file, "certificate_file": own.certificate_file,
                                        "key_file": own.key_file})
            + settings.table("enrolment", house.settings))
        house.host(HOST_ID)
        return house

    def _broker_settings(self, common_name: str) -> settings.BrokerSettings:
        if self.house is None:
            return settings.BrokerSettings(self.broker.port, self.authority.ca_file,
                                           self.authority.client(common_name))
        if common_name == HOST_ID:
            return settings.BrokerSettings(self.broker.port, self.house.ca_file, self.house.host(HOST_ID))
        own = self.agent_folder / "identity"
        return settings.BrokerSettings(self.broker.port, own / "ca.pem",
                                       Identity(common_name, own / "agent.pem", own / "agent.key"))

    def _write_aggregator_settings(self) -> None:
        folder = self.aggregator_folder
        folder.mkdir(exist_ok=True)
        mail = None
        if self.mail_sink is not None:
            server = (f"smtp://localhost:{self.mail_sink.port}" if self.plan.starttls
                      else f"smtps://localhost:{self.mail_sink.tls_port}")
            mail = settings.MailSettings(server, self.authority.ca_file, "watchroom",
                                         self.mail_sink.folder / "sink_password",
                                         "required" if self.plan.starttls else "never")
        if self.plan.rules:
            (folder / "rules.toml").write_text(self.plan.rules)
        (folder / "aggregator.toml").write_text(settings.aggregator_text(
            HOST_ID, self._broker_settings(HOST_ID), self.web_port, self.authority.server("web"),
            bool(self.plan.rules), self.plan.alarms, self.plan.store, mail,
            self.house.settings if self.house else None))
        self._add_user()

    def _add_user(self) -> None:
        users = self.aggregator_folder / "users.toml"
        password_file = self.aggregator_folder / "password"
        password_file.write_text(self.password + "\n")
        password_file.chmod(0o600)
        for words in (
                ["user", "add", ADMINISTRATOR, "--role", "administrator", "--users-file", users,
                 "--password-file", password_file],
                ["user", "token", ADMINISTRATOR, "--name", "rig", "--users-file", users, "--token-file",
                 self.aggregator_folder / "token"]):
            done = run([binary("watchroom"), *words])
            if done.returncode != 0:
                raise RigError(f"watchroom {' '.join(map(str, words[:2]))}: {done.stdout}{done.stderr}")
