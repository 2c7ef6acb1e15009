# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The values a UPS card and a rack PDU show over SNMP, in the words of snmpd's pass_persist."""

from __future__ import annotations

from bisect import bisect_right

from simulated_room.physics import Room

UPS_MIB = "1.3.6.1.2.1.33.1"               # RFC 1628
RPDU2 = "1.3.6.1.4.1.318.1.1.26"           # PowerNet-MIB rPDU2
POWERNET = "1.3.6.1.4.1.318.1.1"

Oid = tuple[int, ...]
Value = tuple[str, str]                    # pass_persist type, value

OUTLETS = 8


def parse(oid: str) -> Oid:
    return tuple(int(part) for part in oid.strip(".").split("."))


def _ups(room: Room) -> dict[str, Value]:
    on = bool(room["mains"])
    charge = room["battery_charge"]
    load_w = room.it_kw * 1000.0
    present = [2] if not on else []        # 6.3.2 upsAlarmOnBattery
    present += [3] if charge < 20.0 else []
    tree: dict[str, Value] = {
        "1.1.0": ("string", "Simulated Power"), "1.2.0": ("string", "UPS 80 kVA"),
        "1.3.0": ("string", "2.1"), "1.4.0": ("string", "1.0"), "1.5.0": ("string", "room1-ups1"),
        "2.1.0": _integer(3 if charge < 20 else 2),
        "2.2.0": _integer(room["battery_seconds"]), "2.3.0": _integer(room["runtime_min"]),
        "2.4.0": _integer(charge), "2.5.0": _integer((384 + 0.9 * charge) * 10),
        "2.6.0": _integer(0 if on else load_w / 430 * 10), "2.7.0": _integer(room["temperature"] + 3),
        "3.1.0": ("counter", "0"), "3.2.0": _integer(3),
        "4.1.0": _integer(3 if on else 5),
        "4.2.0": _integer(500), "4.3.0": _integer(3),
        "5.1.0": _integer(500 if on else 0), "5.2.0": _integer(3),
        "6.1.0": ("gauge", str(len(present))),
        "7.3.0": _integer(6), "8.1.0": _integer(1), "8.5.0": _integer(1),
        "9.1.0": _integer(230), "9.2.0": _integer(500), "9.3.0": _integer(230), "9.4.0": _integer(500),
        "9.5.0": _integer(80000), "9.6.0": _integer(80000), "9.7.0": _integer(5), "9.8.0": _integer(2),
    }
    for phase in (1, 2, 3):
        volts = (230 + room.jitter(0.5)) * on
        tree |= {f"3.3.1.2.{phase}": _integer(500 * on), f"3.3.1.3.{phase}": _integer(volts),
                 f"3.3.1.4.{phase}": _integer(room.mains_kw * 1000 / 3 / 230 * 10),
                 f"3.3.1.5.{phase}": _integer(room.mains_kw * 1000 / 3),
                 f"4.4.1.2.{phase}": _integer(230),
                 f"4.4.1.3.{phase}": _integer(load_w / 3 / 230 * 10),
                 f"4.4.1.4.{phase}": _integer(load_w / 3),
                 f"4.4.1.5.{phase}": _integer(room["ups_load"]),
                 f"5.3.1.2.{phase}": _integer(volts), f"5.3.1.3.{phase}": _integer(0),
                 f"5.3.1.4.{phase}": _integer(0)}
    for row, alarm in enumerate(present, start=1):
        tree[f"6.2.1.2.{row}"] = ("objectid", f".{UPS_MIB}.6.3.{alarm}")
    return {f"{UPS_MIB}.{tail}": value for tail, value in tree.items()}


def _rack_pdu(room: Room) -> dict[str, Value]:
    """One rack takes a tenth of the IT load."""
    watts = room.it_kw * 100.0
    amperes = watts / 230.0
    state = 4 if amperes > 32 else 3 if amperes > 25 else 2 if amperes > 0.5 else 1
    tree: dict[str, Value] = {
        # rPDU2Ident, rPDU2DeviceStatus, rPDU2PhaseStatus
        "2.1.1.1": _integer(1), "2.1.3.1": ("string", "rack-a1"), "2.1.6.1": ("string", "7.1.2"),
        "2.1.8.1": ("string", "AP8959 (simulated)"), "2.1.9.1": ("string", "SIM0001"),
        "4.3.1.1.1": _integer(1), "4.3.1.3.1": ("string", "rack-a1"), "4.3.1.4.1": _integer(state),
        "4.3.1.5.1": _integer(watts / 10), "4.3.1.6.1": _integer(watts / 10 * 1.1),
        "4.3.1.9.1": _integer(room["energy_kwh"] * 10 / 20), "4.3.1.12.1": _integer(1),
        "4.3.1.16.1": _integer(watts / 10 / 0.97), "4.3.1.17.1": _integer(97),
        "6.1.0": _integer(1), "6.3.1.1.1": _integer(1), "6.3.1.3.1": _integer(1),
        "6.3.1.4.1": _integer(state), "6.3.1.5.1": _integer(amperes * 10),
        "6.3.1.6.1": _integer(230), "6.3.1.7.1": _integer(watts / 10),
        "10.2.2.1.1.1": _integer(1), "10.2.2.1.3.1": ("string", "inlet"), "10.2.2.1.6.1": _integer(2),
        "10.2.2.1.7.1": _integer((room["temperature"] * 1.8 + 32) * 10),
        "10.2.2.1.8.1": _integer(room["temperature"] * 10), "10.2.2.1.9.1": _integer(4),
        "10.2.2.1.10.1": _integer(room["humidity"]), "10.2.2.1.11.1": _integer(4),
    }
    for outlet in range(1, OUTLETS + 1):
        share = watts / OUTLETS
        switched, metered = f"9.2.3.1.{{}}.{outlet}", f"9.4.3.1.{{}}.{outlet}"
        tree |= {switched.format(1): _integer(outlet), switched.format(3): ("string", f"Outlet {outlet}"),
                 switched.format(4): _integer(outlet), switched.format(5): _integer(2),
                 metered.format(1): _integer(outlet), metered.format(3): ("string", f"Outlet {outlet}"),
                 metered.format(4): _integer(outlet), metered.format(5): _integer(2),
                 metered.format(6): _integer(share / 230 * 10), metered.format(7): _integer(share),
                 metered.format(11): _integer(room["energy_kwh"] * 10 / 20 / OUTLETS)}
    return {f"{RPDU2}.{tail}": value for tail, value in tree.items()}


def _integer(value: float) -> Value:
    return ("integer", str(int(value)))


class SnmpTree:
    """Looks values up for GET and, in OID order, for GETNEXT."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def _values(self) -> dict[Oid, tuple[str, Value]]:
        whole = _ups(self._room) | _rack_pdu(self._room)
        return {parse(oid): (oid, value) for oid, value in whole.items()}

    def get(self, oid: str) -> tuple[str, Value] | None:
        return self._values().get(parse(oid))

    def get_next(self, oid: str) -> tuple[str, Value] | None:
        values = self._values()
        ordered = sorted(values)
        place = bisect_right(ordered, parse(oid))
        return values[ordered[place]] if place < len(ordered) else None
