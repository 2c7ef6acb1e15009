# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""What a test does at a Modbus TCP unit by itself: sets what a sensor shows, and looks at coils."""

from __future__ import annotations

import socket
import struct
import time


class Unit:
    """Unit 1 at a loopback port. Connects anew where the other end was restarted."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None

    def set_register(self, address: int, value: int) -> None:
        self._ask(struct.pack(">BHH", 6, address, value))

    def set_coil(self, address: int, is_on: bool) -> None:
        self._ask(struct.pack(">BHH", 5, address, 0xff00 if is_on else 0))

    def coil(self, address: int) -> bool:
        return bool(self._ask(struct.pack(">BHH", 1, address, 1))[2] & 1)

    def wait_for_coil(self, address: int, is_on: bool, deadline_s: float) -> float:
        """How long it took. Looks as often as the unit answers, for this is what is measured."""
        began = time.monotonic()
        while time.monotonic() - began < deadline_s:
            try:
                if self.coil(address) == is_on:
                    return time.monotonic() - began
            except OSError:
                self.close()
        raise AssertionError(f"coil {address} is not {'on' if is_on else 'off'} after {deadline_s:g} s")

    def _ask(self, body: bytes) -> bytes:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=5)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._socket.sendall(struct.pack(">HHHB", 1, 0, len(body) + 1, 1) + body)
            length = struct.unpack(">HHHB", self._take(7))[2]
            answer = self._take(length - 1)
        except OSError:
            self.close()
            raise
        if answer[0] & 0x80:
            raise AssertionError(f"the unit refused {body.hex()} with {answer[1]}")
        return answer

    def _take(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            assert self._socket is not None
            part = self._socket.recv(size - len(taken))
            if not part:
                raise ConnectionResetError("the unit has closed the connection")
            taken += part
        return taken
