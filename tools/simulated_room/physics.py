# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The room itself: heat, air, power, gas. Knows no bus and no clock; time comes as a parameter."""

from __future__ import annotations

import math
import random

# A room for 60 kW of servers. The air of some 300 m3 plus metal near it warms by 1 K for 400 kJ, so
# without cooling 27 kW drive it up by 4 K a minute, which is what operators report.
DESIGN_LOAD_KW = 60.0
HEAT_CAPACITY_KJ_PER_K = 400.0
WALL_LOSS_KW_PER_K = 0.15
OUTDOOR_C = 30.0
COOLING_CAPACITY_KW = 80.0
COOLING_GAIN_KW_PER_K = 40.0
AISLE_FLOW_KW_PER_K = 4.5
UPS_RATING_KW = 80.0
BATTERY_KWH = 8.0
CHARGER_KW = 6.0
# HFC-227ea filled to 4.2 MPa at 20 degC (GB 50370 3.3.9); near room temperature its pressure moves by
# about 0.6 % a kelvin.
GAS_FILLING_BAR = 42.0
GAS_PRESSURE_PER_K = 0.006
# The cooling's loop is stable up to some ten seconds; one keeps it smooth.
LONGEST_SLICE_S = 1.0

INPUTS = {
    "it_load": 45.0,          # percent of the design load
    "cooling": 1.0,           # 0 or 1
    "set_point": 22.0,        # degC, cold aisle
    "mains": 1.0,             # 0 or 1
    "leak": 0.0,              # 0 or 1
    "leak_distance": 12.4,    # m along the cable
    "cable_break": 0.0,
    "contamination": 0.0,
    "door": 0.0,              # 1 = open
    "smoke": 0.0,             # 1 = detector has tripped
    "gas_leak": 0.0,          # bar an hour
    "noise": 1.0,             # scale of the sensors' jitter; 0 for tests that want stillness
}
STATES = {
    "temperature": 22.0,      # degC, cold aisle
    "hot_aisle": 28.0,        # degC
    "humidity": 48.0,         # percent RH, cold aisle
    "moisture": 9.3,          # g of water in a m3; the room is tight, so only this is conserved
    "battery_charge": 100.0,  # percent
    "battery_seconds": 0.0,   # on battery since
    "runtime_min": 0.0,
    "ups_load": 0.0,          # percent of the rating
    "gas_filling": GAS_FILLING_BAR,
    "gas_pressure": GAS_FILLING_BAR,
    "energy_kwh": 18250.0,
}


def saturation_g_per_m3(celsius: float) -> float:
    """Magnus formula (Sonntag 1990 coefficients) through the ideal-gas law."""
    pressure_pa = 611.2 * math.exp(17.62 * celsius / (243.12 + celsius))
    return pressure_pa / (461.5 * (celsius + 273.15)) * 1000.0


class Room:
    """All quantities by name. A held quantity ignores physics until it is released."""

    def __init__(self, seed: int = 1) -> None:
        self._values: dict[str, float] = {**INPUTS, **STATES}
        self._held: set[str] = set()
        self._random = random.Random(seed)
        self.step(0.0)

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def names(self) -> list[str]:
        return sorted(self._values)

    def set(self, name: str, value: float, hold: bool = False) -> None:
        if name not in self._values:
            raise KeyError(f"no quantity '{name}'; known: {' '.join(self.names())}")
        self._values[name] = value
        if hold:
            self._held.add(name)

    def release(self, name: str) -> None:
        self._held.discard(name)

    def jitter(self, width: float) -> float:
        """What a real sensor adds on top of the truth."""
        return self._random.gauss(0.0, width) * self._values["noise"]

    def step(self, seconds: float) -> None:
        """However long the step, it is gone in slices that no part of the room changes much in."""
        while True:
            slice_s = min(seconds, LONGEST_SLICE_S)
            self._power(slice_s)
            self._heat(slice_s)
            self._gas(slice_s)
            seconds -= slice_s
            if seconds <= 0.0:
                return

    @property
    def it_kw(self) -> float:
        return DESIGN_LOAD_KW * self["it_load"] / 100.0 if self.ups_is_on else 0.0

    @property
    def ups_is_on(self) -> bool:
        return bool(self["mains"]) or self["battery_charge"] > 0.0

    @property
    def cooling_kw(self) -> float:
        """The air conditioner hangs on the mains, not on the UPS: that is why minutes count."""
        if not self["cooling"] or not self["mains"]:
            return 0.0
        wanted = COOLING_GAIN_KW_PER_K * (self["temperature"] - self["set_point"]) + self.it_kw
        return min(max(wanted, 0.0), COOLING_CAPACITY_KW)

    @property
    def mains_kw(self) -> float:
        if not self["mains"]:
            return 0.0
        charging = CHARGER_KW if self["battery_charge"] < 100.0 else 0.0
        return self.it_kw / 0.95 + charging + self.cooling_kw / 3.2

    def _assign(self, name: str, value: float) -> None:
        if name not in self._held:
            self._values[name] = value

    def _power(self, seconds: float) -> None:
        charge_kwh = BATTERY_KWH * self["battery_charge"] / 100.0
        if self["mains"]:
            charge_kwh = min(charge_kwh + CHARGER_KW * seconds / 3600.0, BATTERY_KWH)
            self._assign("battery_seconds", 0.0)
        else:
            charge_kwh = max(charge_kwh - self.it_kw / 0.94 * seconds / 3600.0, 0.0)
            self._assign("battery_seconds", self["battery_seconds"] + seconds)
        self._assign("battery_charge", 100.0 * charge_kwh / BATTERY_KWH)
        self._assign("ups_load", 100.0 * self.it_kw / UPS_RATING_KW)
        self._assign("runtime_min", 60.0 * charge_kwh / max(self.it_kw / 0.94, 0.5))
        self._assign("energy_kwh", self["energy_kwh"] + self.mains_kw * seconds / 3600.0)

    def _heat(self, seconds: float) -> None:
        net_kw = (self.it_kw - self.cooling_kw
                  + WALL_LOSS_KW_PER_K * (OUTDOOR_C - self["temperature"]))
        self._assign("temperature", self["temperature"] + net_kw * seconds / HEAT_CAPACITY_KJ_PER_K)
        self._assign("hot_aisle", self["temperature"] + self.it_kw / AISLE_FLOW_KW_PER_K)
        full = saturation_g_per_m3(self["temperature"])
        self._assign("humidity", min(100.0, 100.0 * self["moisture"] / full))

    def _gas(self, seconds: float) -> None:
        self._assign("gas_filling", max(0.0, self["gas_filling"] - self["gas_leak"] * seconds / 3600.0))
        warmth = 1.0 + GAS_PRESSURE_PER_K * (self["temperature"] - 20.0)
        self._assign("gas_pressure", self["gas_filling"] * warmth)
