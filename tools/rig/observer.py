# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""An independent subscriber: mosquitto_sub with a certificate of its own, and a protobuf decoder
generated from the published schema. It shares no line of code with the programs it watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.certificates import Identity
from rig.processes import Process, ProcessSet, RigError, program, run

REPOSITORY = Path(__file__).resolve().parent.parent.parent
EVERYTHING = "spBv1.0/#"
SCHEMA_FOLDER = REPOSITORY / "proto" / "messages"
SCHEMA = SCHEMA_FOLDER / "sparkplug_b.proto"


@dataclass(frozen=True)
class Message:
    """One message as the broker delivered it."""

    time_ms: float
    topic: str
    payload: bytes

    @property
    def kind(self) -> str:
        """NBIRTH, DDATA, …; STATE has its word in the same place."""
        words = self.topic.split("/")
        return "STATE" if words[1] == "STATE" else words[2]

    @property
    def device(self) -> str:
        words = self.topic.split("/")
        return words[4] if len(words) > 4 else ""


class Decoder:
    """Payload decoder made by protoc at run time into a folder of the test."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        done = run([program("protoc"), f"--proto_path={SCHEMA_FOLDER}", f"--python_out={folder}", SCHEMA.name])
        if done.returncode != 0:
            raise RigError(f"protoc: {done.stderr}")
        sys.path.insert(0, str(folder))
        try:
            import sparkplug_b_pb2  # type: ignore[import-not-found]
        finally:
            sys.path.remove(str(folder))
        self._schema = sparkplug_b_pb2

    def new(self) -> Any:
        """An empty Payload to be filled and serialised."""
        return self._schema.Payload()

    def stamp_of(self, payload: Any) -> Any:
        """The journal extension of a payload, made when it is not there."""
        return payload.Extensions[self._schema.journal]

    def decode(self, payload: bytes) -> Any:
        message = self._schema.Payload()
        message.ParseFromString(payload)
        return message

    def stamp(self, payload: Any) -> Any | None:
        """The journal extension, when the payload carries one."""
        extension = self._schema.journal
        return payload.Extensions[extension] if payload.HasExtension(extension) else None


def metric_value(metric: Any) -> float | int | str | bool | None:
    """The value in whichever field it travels; None when it is null."""
    field = metric.WhichOneof("value")
    if metric.is_null or field is None:
        return None
    value = getattr(metric, field)
    if field == "long_value" and metric.datatype in (0, 4) and value >= 1 << 63:
        return int(value) - (1 << 64)
    return value  # type: ignore[no-any-return]


class Observer:
    """Collects everything under spBv1.0 from its start on."""

    def __init__(self, processes: ProcessSet, folder: Path, port: int, ca_file: Path, identity: Identity,
                 name: str = "observer") -> None:
        self._log = folder / f"{name}.messages"
        self._offset = 0
        self._messages: list[Message] = []
        self._processes = processes
        # stdbuf: mosquitto_sub into a file would keep lines back. No -q: what is published is QoS 0 and 1.
        command = [program("stdbuf"), "-oL", program("mosquitto_sub"), *connection(port, ca_file, identity),
                   "-q", "1", "-t", EVERYTHING, "-F", "%U %t %x"]
        self.process = Process(name, command, self._log)
        processes.adopt(self.process)
        self.process.start()

    def messages(self) -> list[Message]:
        """All complete lines so far."""
        with self._log.open("rb") as log:
            log.seek(self._offset)
            fresh = log.read()
        complete = fresh[:fresh.rfind(b"\n") + 1]
        self._offset += len(complete)
        self._messages.extend(_parse(complete.decode()))
        return self._messages


def connection(port: int, ca_file: Path, identity: Identity) -> list[str]:
    """What mosquitto_pub and mosquitto_sub need to get in."""
    return ["-h", "127.0.0.1", "-p", str(port), "--cafile", str(ca_file), "--cert",
            str(identity.certificate_file), "--key", str(identity.key_file), "-k", "10"]


def _parse(text: str) -> Iterator[Message]:
    for line in text.splitlines():
        words = line.split(" ")
        if len(words) < 2 or not words[1].startswith("spBv1.0/"):
            continue  # mosquitto_sub's own complaints share the file
        payload = bytes.fromhex(words[2]) if len(words) > 2 else b""
        yield Message(float(words[0]) * 1000.0, words[1], payload)
