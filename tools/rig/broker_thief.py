# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Whoever has stolen the broker and the centre's certificate for it: hears every order, and publishes what it likes."""

from __future__ import annotations

import base64

from rig.observer import Decoder, connection
from rig.processes import program, run
from rig.room import HOST_ID, Room

ORDER = "Node Control/Order"


class BrokerThief:
    """Of a room with an authority of its own; listens from its making on."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._observer = room.observe()
        self._decoder = Decoder(room.folder / "schema")
        self._topic = f"spBv1.0/{room.plan.site}/NCMD/{room.plan.agent}"

    def orders(self, kind: str) -> list[str]:
        """As they were published: signed, in base64."""
        return [metric.string_value for message in self._observer.messages() if message.topic == self._topic
                for metric in self._decoder.decode(message.payload).metrics
                if metric.name == ORDER and kind.encode() in base64.b64decode(metric.string_value)]

    def publish(self, order: str) -> None:
        payload = self._decoder.new()
        payload.timestamp = 1
        payload.metrics.add(name=ORDER, datatype=12, string_value=order, timestamp=1)
        file = self._room.folder / "payload"
        file.write_bytes(payload.SerializeToString())
        assert self._room.house is not None
        sent = run([program("mosquitto_pub"),
                    *connection(self._room.broker.port, self._room.house.ca_file, self._room.house.host_files(HOST_ID)),
                    "-i", "thief", "-t", self._topic, "-f", file])
        assert sent.returncode == 0, sent.stderr
