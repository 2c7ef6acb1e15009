# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""What each Modbus device of the room shows: a register image computed from the room at every read.

A device answers `read(table, address, count)` with a list of 16-bit words (or bits), or None where it
has nothing, which becomes exception 2. The layouts are those of agent/profiles; where they come from
stands there and, in short, here.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path

from simulated_room.physics import Room

Words = list[int]


def u16(value: float) -> int:
    """Rounded and clamped, two's complement for what is below zero."""
    return max(-32768, min(65535, round(value))) & 0xFFFF


def u32(value: float) -> Words:
    number = round(value) & 0xFFFFFFFF
    return [number >> 16, number & 0xFFFF]


def float32(value: float) -> Words:
    return list(struct.unpack(">HH", struct.pack(">f", value)))


class Device:
    """One Modbus unit. Subclasses say which table they fill and with what."""

    tables: tuple[str, ...] = ("holding",)

    def __init__(self, room: Room) -> None:
        self.room = room

    @property
    def is_powered(self) -> bool:
        """Without power a device does not answer at all."""
        return True

    def image(self) -> dict[int, int]:
        raise NotImplementedError

    def read(self, table: str, address: int, count: int) -> Words | None:
        if table not in self.tables:
            return None
        image = self.image()
        span = range(address, address + count)
        if any(register not in image for register in span):
            return None
        return [image[register] for register in span]


class TemperatureHumidity(Device):
    """Renke RS-WS-N01: 0 = humidity, 1 = temperature (signed), both x0.1; functions 3 and 4."""

    tables = ("holding", "input")

    def __init__(self, room: Room, quantity: str) -> None:
        super().__init__(room)
        self.quantity = quantity

    def image(self) -> dict[int, int]:
        celsius = self.room[self.quantity] + self.room.jitter(0.04)
        humidity = self.room["humidity"] + self.room.jitter(0.2)
        return {0: u16(humidity * 10), 1: u16(celsius * 10)}


class LeakController(Device):
    """RLE LD2000: input registers 30001 … 30012."""

    tables = ("input",)

    def image(self) -> dict[int, int]:
        leak, broken = bool(self.room["leak"]), bool(self.room["cable_break"])
        dirty = bool(self.room["contamination"])
        current_ua = 180 if leak else 60 if dirty else 0
        cable_m, ohm_per_ft_x1000 = 50, 2800
        loop_ohm = 9999 if broken else cable_m * 3.281 * ohm_per_ft_x1000 / 1000
        status = leak << 0 | broken << 1 | dirty << 2
        words = [status, self.room["leak_distance"] if leak else 0, 0, current_ua, cable_m, loop_ohm,
                 loop_ohm, ohm_per_ft_x1000, 110, int(leak), 0, 0]
        return {address: u16(word) for address, word in enumerate(words)}


class ThreePhaseMeter(Device):
    """Eastron SDM630: float32, most significant word first, input registers; gaps read as zero."""

    tables = ("input",)
    last_register = 0x0180

    def image(self) -> dict[int, int]:
        room = self.room
        on, power_w = bool(room["mains"]), room.mains_kw * 1000.0
        volts = [230.0 * on + room.jitter(0.4) * on for _ in range(3)]
        watts = [power_w * share for share in (0.36, 0.33, 0.31)]
        factor = 0.97
        amperes = [w / (v * factor) if v else 0.0 for w, v in zip(watts, volts)]
        apparent, energy = power_w / factor, room["energy_kwh"]
        values: dict[int, float] = {}
        for phase in range(3):
            values[0x00 + 2 * phase] = volts[phase]
            values[0x06 + 2 * phase] = amperes[phase]
            values[0x0C + 2 * phase] = watts[phase]
            values[0x12 + 2 * phase] = watts[phase] / factor
            values[0x18 + 2 * phase] = watts[phase] / factor * 0.243
            values[0x1E + 2 * phase] = factor if on else 0.0
            values[0xEA + 2 * phase] = 2.1 * on
            values[0x15A + 2 * phase] = energy / 3
        values |= {0x2A: sum(volts) / 3, 0x2E: sum(amperes) / 3, 0x30: sum(amperes), 0x34: power_w,
                   0x38: apparent, 0x3C: apparent * 0.243, 0x3E: factor if on else 0.0,
                   0x46: (50.0 + room.jitter(0.01)) * on, 0x48: energy, 0x4A: 0.0, 0x156: energy}
        image = dict.fromkeys(range(self.last_register), 0)
        for address, value in values.items():
            image[address], image[address + 1] = float32(value)
        return image


class OnlineUps(Device):
    """Huawei UPS2000: the published addresses plus 10000 for the first UPS of a group."""

    base = 10000

    @property
    def is_powered(self) -> bool:
        return self.room.ups_is_on

    def image(self) -> dict[int, int]:
        room = self.room
        on, load_kw = bool(room["mains"]), room.it_kw
        battery = room["battery_charge"]
        volts = 220.0 * on + room.jitter(0.3) * on
        runtime = u32(room["runtime_min"] * 60)
        mode = 2 if on else 3
        near = {1000: u16(volts * 10), 1003: u16(500 * on), 1004: u16(volts * 10), 1007: u16(500 * on),
                1008: 2200, 1011: u16(load_kw * 1000 / 220 * 10), 1014: 500, 1015: u16(load_kw * 10), 1018: u16(load_kw / 0.95 * 10),
                1021: u16(room["ups_load"] * 10), 1024: mode, 1027: u16(room["temperature"] * 10 + 80),
                1043: (battery < 20.0) << 6,
                2000: u16((384 + 0.9 * battery) * 10), 2002: 5 if not on else 3 if battery > 99 else 4,
                2003: u16(battery), 2004: runtime[0], 2005: runtime[1]}
        # Between the documented registers the device holds others we know nothing about; they read as 0.
        image = dict.fromkeys([*range(1000, 1044), *range(2000, 2008)], 0) | near
        # Alarm words stand 1024 above the numbers that NUT gives for the first UPS.
        alarms = dict.fromkeys(range(41180, 41207), 0)
        return {self.base + address: word for address, word in image.items()} | alarms


class GasCylinder(Device):
    """MPD-380 pressure transmitter: 2 unit code, 3 decimals, 4 value, 5 zero, 6 full scale.

    Unit 0 is MPa: the profile works in megapascal; the value 4200 with three decimals is 4.200 MPa.
    """

    def image(self) -> dict[int, int]:
        megapascal = self.room["gas_pressure"] / 10.0
        return {0: 1, 1: 3, 2: 0, 3: 3, 4: u16(megapascal * 1000 + self.room.jitter(0.6)), 5: 0, 6: 6000,
                **dict.fromkeys(range(7, 13), 0)}


class DryContacts(Device):
    """Eight discrete inputs, active = 1: 0 smoke, 1 door, 2 mains failed, 3 cooling fault."""

    tables = ("discrete",)

    def image(self) -> dict[int, int]:
        room = self.room
        active = [room["smoke"], room["door"], not room["mains"], not room["cooling"], 0, 0, 0, 0]
        return {address: int(bool(state)) for address, state in enumerate(active)}


class Counter(Device):
    """A u32 that grows by one each time it is read, and a log of every value it has shown.

    The log is the oracle of the crash tests, so a line is handed to the kernel before the reply
    leaves: it survives whatever is killed. The second word pair of the file's lines is the time.
    """

    tables = ("holding", "input")

    def __init__(self, room: Room, log_path: Path, now_ms: Callable[[], int] | None = None) -> None:
        super().__init__(room)
        self._now_ms = now_ms or (lambda: time.time_ns() // 1_000_000)
        self._value = 0
        self._log = log_path.open("a", buffering=1)

    def read(self, table: str, address: int, count: int) -> Words | None:
        if table not in self.tables or (address, count) != (0, 2):
            return None
        self._value += 1
        self._log.write(f"{self._now_ms()} {self._value}\n")
        return u32(self._value)


def gateway(room: Room, counter_log: Path | None) -> dict[int, Device]:
    """The units behind the Modbus TCP gateway."""
    units: dict[int, Device] = {
        1: TemperatureHumidity(room, "temperature"),
        2: TemperatureHumidity(room, "hot_aisle"),
        3: ThreePhaseMeter(room),
        4: OnlineUps(room),
        5: GasCylinder(room),
        6: DryContacts(room),
    }
    if counter_log is not None:
        units[9] = Counter(room, counter_log)
    return units


def serial_line(room: Room) -> dict[int, Device]:
    """The units on the RS-485 line."""
    return {1: TemperatureHumidity(room, "temperature"), 3: LeakController(room)}
