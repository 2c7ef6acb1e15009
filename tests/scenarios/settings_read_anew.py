# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""SIGHUP while a room is watched: devices come and go, a class given by the centre stays, a wrong file changes
nothing, and no reading of the device that stays is lost or told twice."""

from __future__ import annotations

import signal

from story import Plan, Room, Story, main, wait_until
from rig.oracle import read_counter_log
from rig.room import counter_device, gateway_device

TIMEOUT_S = 120


def th(addresses, number):  # type: ignore[no-untyped-def]
    return gateway_device(addresses, f"th{number}", f"{number} 号温湿度", "renke_rs_ws_n01", number, "general",
                          poll_interval_ms=500)


class SettingsReadAnew(Story):
    def test_DevicesComeAndGoWithoutLosingAReading(self) -> None:
        wanted = [1]

        def devices(addresses):  # type: ignore[no-untyped-def]
            return [counter_device(addresses), *(th(addresses, number) for number in wanted)]

        plan = Plan(devices=devices, counter=True, snmp=False, mail=False, journal={"commit_ms": 500},
                    classes={"core": (200, 10), "key": (300, 10), "general": (500, 10)})
        with self.new_room(plan) as room:
            room.start()
            assert room.agent
            room.wait_until_good("th1", "ambient.temperature")
            room.wait_until_good("counter1", "device.counter")
            self.change_class(room)
            room.agent.stop()
            room.start_agent()
            room.wait_until_good("counter1", "device.counter")
            self.assertEqual(self.announced(room).get("counter1"), "key", "a class from the centre outlives a restart")

            wanted[:] = [2]
            room.write_agent_settings()
            room.agent.signal(signal.SIGHUP)
            room.wait_until_good("th2", "ambient.temperature")
            room.wait_for_point("th1", "ambient.temperature", lambda p: p["quality"] != "good", 20, "no longer live")
            self.assertEqual(self.announced(room).get("counter1"), "key", "a class from the centre outlives new settings")

            room.write_agent_settings('\n[[device]]\nid = "th9"\nprofil = "renke_rs_ws_n01"\n')
            room.agent.signal(signal.SIGHUP)
            wait_until(lambda: "was not taken" in room.agent.log(), 10, "the wrong file is refused")
            self.assertIn("profil", room.agent.log())
            room.agent.require_running()

            for number in (1, 2, 3):  # in quick succession
                wanted[:] = [1, number % 2 + 2]
                room.write_agent_settings()
                room.agent.signal(signal.SIGHUP)
            room.wait_until_good("th1", "ambient.temperature")
            self.every_counter_value_is_there_once(room)

    def change_class(self, room: Room) -> None:
        room.rest.put(f"/devices/{room.plan.site}/{room.plan.agent}/counter1/class", {"class": "key"})
        wait_until(lambda: self.announced(room).get("counter1") == "key", 20, "the class of counter1")

    @staticmethod
    def announced(room: Room) -> dict[str, str]:
        """Device -> its class, of all that the agent's births name."""
        agent = room.rest.agents()[f"{room.plan.site}/{room.plan.agent}"]
        return {device["id"]: device["class"] for device in agent["devices"]}

    def every_counter_value_is_there_once(self, room: Room) -> None:
        """What the device was asked and what the centre has: the same values, each once, but for the last."""
        def missing() -> set[int]:
            asked = read_counter_log(room.counter_log)
            stored = [reading.value for reading in room.store.counter_readings(room.plan.agent)]
            newest = max(stored, default=0)
            return {value for value in asked if value < newest} - set(stored)

        wait_until(lambda: not missing(), 20, "every value that was read is stored")
        stored = [reading.value for reading in room.store.counter_readings(room.plan.agent)]
        self.assertGreater(len(stored), 3)


if __name__ == "__main__":
    main()
