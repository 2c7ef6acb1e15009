# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The room's line protocol: one command a line, one JSON object a line back, with the time it was done.

    get [NAME]                 one quantity or all
    set NAME VALUE [hold]      hold: physics leaves it alone until `release NAME`
    NAME VALUE [hold]          the same, e.g. `it_load 80`, `temperature 35 hold`, `mains off`
    release NAME
    silence unit N [line]      the unit stops answering; `line` means the serial line
    silence unit N gateway     the same, but the gateway answers for it: exception 0x0B, no response from the target
    refuse unit N [line]       the unit answers exception 4
    answer unit N [line]       back to normal
    delay SECONDS [line]       every reply of that port comes this much later
    snmp silence | snmp answer off, as by a pulled plug; on again, with one more boot
    line                       request and timing counts of the serial line
    oid get|getnext OID        what snmpd's child asks
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from simulated_room.modbus import SerialLine, Units
from simulated_room.physics import Room
from simulated_room.snmp_daemon import SnmpDaemon
from simulated_room.snmp_tree import SnmpTree

WORDS = {"on": 1.0, "off": 0.0, "open": 1.0, "closed": 0.0, "yes": 1.0, "no": 0.0}

Reply = dict[str, Any]


class Control:
    """Carries commands out on the parts of the room; knows nothing of sockets except `serve`."""

    def __init__(self, room: Room, gateway: Units, line_units: Units, line: SerialLine,
                 snmp: SnmpDaemon | None) -> None:
        self._room = room
        self._gateway = gateway
        self._line_units = line_units
        self._line = line
        self._snmp = snmp
        self._tree = SnmpTree(room)

    async def carry_out(self, command: str) -> Reply:
        try:
            words = command.split()
            reply = await self._switch_snmp(words[1]) if words[:1] == ["snmp"] else self._dispatch(words)
        except (KeyError, ValueError, IndexError) as error:
            return {"ok": False, "error": str(error).strip('"')}
        return {"ok": True, "time_ms": time.time_ns() // 1_000_000} | reply

    def _dispatch(self, words: list[str]) -> Reply:
        match words:
            case ["get"]:
                return {"values": {name: round(self._room[name], 3) for name in self._room.names()}}
            case ["get", name]:
                return {"value": self._room[name]}
            case ["release", name]:
                self._room.release(name)
                return {}
            case ["silence", "unit", number, "gateway"]:
                return self._fault("miss", int(number), self._gateway)
            case [("silence" | "refuse" | "answer") as what, "unit", number, *port]:
                return self._fault(what, int(number), self._units(port))
            case ["delay", seconds, *port]:
                self._units(port).faults.reply_delay_s = float(seconds)
                return {}
            case ["line"]:
                return {"requests": self._line_units.requests.total(),
                        "by_unit": dict(self._line_units.requests), "too_early": self._line.too_early,
                        "shortest_silence_ms": round(self._line.shortest_silence_s * 1000, 3)
                        if self._line.shortest_silence_s < 1e9 else None}
            case ["oid", ("get" | "getnext") as what, oid]:
                return self._oid(what, oid)
            case ["set", name, value, *rest] | [name, value, *rest]:
                number = WORDS[value] if value in WORDS else float(value)
                self._room.set(name, number, hold=rest == ["hold"])
                return {"name": name, "value": number}
        raise ValueError(f"cannot understand '{' '.join(words)}'")

    async def _switch_snmp(self, what: str) -> Reply:
        if self._snmp is None:
            raise ValueError("this room runs without snmpd")
        if what not in ("silence", "answer"):
            raise ValueError(f"snmp can 'silence' and 'answer', not '{what}'")
        self._snmp.is_wanted = what == "answer"
        await self._snmp.follow(self._room.ups_is_on)
        return {}

    def _units(self, port: list[str]) -> Units:
        if port not in ([], ["line"]):
            raise ValueError(f"cannot understand '{' '.join(port)}'")
        return self._line_units if port else self._gateway

    @staticmethod
    def _fault(what: str, number: int, units: Units) -> Reply:
        if number not in units.numbers():
            raise ValueError(f"no unit {number}; there are {units.numbers()}")
        faults = {"silence": units.faults.silent, "miss": units.faults.missed, "refuse": units.faults.refusing}
        for numbers in faults.values():
            numbers.discard(number)
        if what in faults:
            faults[what].add(number)
        return {}

    def _oid(self, what: str, oid: str) -> Reply:
        found = self._tree.get(oid) if what == "get" else self._tree.get_next(oid)
        if found is None:
            return {"found": False}
        name, (kind, value) = found
        return {"found": True, "oid": name, "type": kind, "value": value}

    async def serve(self, path: Path) -> asyncio.AbstractServer:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                reply = await self.carry_out(line.decode())
                writer.write(json.dumps(reply).encode() + b"\n")
                await writer.drain()
            writer.close()

        path.unlink(missing_ok=True)
        return await asyncio.start_unix_server(converse, path)
