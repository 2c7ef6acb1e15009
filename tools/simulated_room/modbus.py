# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Modbus servers for the room: TCP with several units behind one port, RTU on a pty.

Requests and replies are coded by pymodbus, which neither shares code nor authors with the library
the agent uses. Framing is done here because both faults and timing have to be under our hand.
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
import tty
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymodbus.factory import ServerDecoder
from pymodbus.pdu import ModbusExceptions
from pymodbus.utilities import computeCRC

from simulated_room.devices import Device

# Modbus Application Protocol V1.1b3 section 6: function code to table.
TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}


class _UnitStore:
    """What pymodbus asks while it executes a request: the two methods of its slave context."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._values: list[int] | None = None

    def validate(self, function: int, address: int, count: int = 1) -> bool:
        table = TABLES.get(function)
        self._values = self._device.read(table, address, count) if table else None
        return self._values is not None

    def getValues(self, _function: int, _address: int, _count: int = 1) -> list[int]:  # noqa: N802
        assert self._values is not None  # pymodbus validates first; the counter must be read once only
        return self._values


@dataclass
class Faults:
    """What goes wrong on one port, by unit number."""

    silent: set[int] = field(default_factory=set)
    missed: set[int] = field(default_factory=set)    # silent, and the gateway says so
    refusing: set[int] = field(default_factory=set)
    reply_delay_s: float = 0.0


class Units:
    """Answers a request's PDU for one of several units, or None for silence."""

    def __init__(self, devices: Mapping[int, Device]) -> None:
        self._devices = devices
        self._stores = {unit: _UnitStore(device) for unit, device in devices.items()}
        self._decoder = ServerDecoder()
        self.faults = Faults()
        self.requests: Counter[int] = Counter()

    def numbers(self) -> list[int]:
        return sorted(self._stores)

    def answer(self, unit: int, pdu: bytes) -> bytes | None:
        self.requests[unit] += 1
        if unit not in self._stores or unit in self.faults.silent or not self._devices[unit].is_powered:
            return None
        request: Any = self._decoder.decode(pdu)
        if unit in self.faults.missed:
            reply: Any = request.doException(ModbusExceptions.GatewayNoResponse)
        elif unit in self.faults.refusing:
            reply = request.doException(ModbusExceptions.SlaveFailure)
        elif request.function_code not in TABLES:
            reply = request.doException(ModbusExceptions.IllegalFunction)
        else:
            reply = request.execute(self._stores[unit])
        return struct.pack(">B", reply.function_code) + reply.encode()


class TcpConnection(asyncio.Protocol):
    """MBAP framing (Modbus Messaging on TCP/IP V1.0b section 3.1.3)."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 8:
            transaction, _, length, unit = struct.unpack(">HHHB", self._buffer[:7])
            if len(self._buffer) < 6 + length:
                return
            pdu, self._buffer = self._buffer[7:6 + length], self._buffer[6 + length:]
            reply = self._units.answer(unit, pdu)
            if reply is not None:
                self._send(struct.pack(">HHHB", transaction, 0, len(reply) + 1, unit) + reply)

    def _send(self, frame: bytes) -> None:
        assert self._transport is not None
        delay = self._units.faults.reply_delay_s
        if delay > 0.0:
            asyncio.get_running_loop().call_later(delay, self._transport.write, frame)
        else:
            self._transport.write(frame)


class SerialLine:
    """The far end of an RS-485 line: a pty whose near end the agent opens by path.

    Bytes take the time they would take at the line's speed, and the silence before each request is
    measured, because libmodbus does not keep the 3.5 characters that Modbus over Serial Line V1.02
    section 2.5.1.1 asks for.
    """

    def __init__(self, units: Units, link: Path, baud: int, parity: str) -> None:
        self._units = units
        self.link = link
        # Start, eight data, parity if any, one stop. The standard's own 11 would call an 8N1 line late too early.
        self.character_s = (10.0 if parity == "N" else 11.0) / baud
        self.quiet_s = 0.00175 if baud > 19200 else 3.5 * self.character_s
        self._buffer = b""
        self._reply_end = 0.0
        self._silence: asyncio.TimerHandle | None = None
        self.shortest_silence_s = float("inf")
        self.too_early = 0
        # Our own handle on the near end keeps the pty alive while no agent has it open.
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        os.set_blocking(self._far, False)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._near))

    def start(self) -> None:
        asyncio.get_running_loop().add_reader(self._far, self._receive)

    def _receive(self) -> None:
        now = time.monotonic()
        if not self._buffer and self._reply_end > 0.0:
            silence = now - self._reply_end
            self.shortest_silence_s = min(self.shortest_silence_s, silence)
            self.too_early += silence < self.quiet_s
        self._buffer += os.read(self._far, 512)
        if self._silence is not None:
            self._silence.cancel()
        # The pty has no speed of its own: what came at once would have been on the wire this long.
        wire = len(self._buffer) * self.character_s + self.quiet_s
        self._silence = asyncio.get_running_loop().call_later(wire, self._frame_complete)

    def _frame_complete(self) -> None:
        frame, self._buffer = self._buffer, b""
        if len(frame) < 4 or computeCRC(frame[:-2]) != int.from_bytes(frame[-2:], "big"):
            return
        reply = self._units.answer(frame[0], frame[1:-2])
        if reply is None:
            return
        body = frame[:1] + reply
        whole = body + computeCRC(body).to_bytes(2, "big")
        delay = self._units.faults.reply_delay_s + len(whole) * self.character_s
        asyncio.get_running_loop().call_later(delay, self._send, whole)

    def _send(self, frame: bytes) -> None:
        # Before the write: then a busy machine can only lengthen the silence that is measured.
        self._reply_end = time.monotonic()
        os.write(self._far, frame)


async def serve_tcp(units: Units, port: int) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(lambda: TcpConnection(units), "127.0.0.1", port)
