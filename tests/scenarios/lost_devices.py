# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Devices that stop answering: quality says so, alarms say so, nothing is cleared, the others keep pace."""

from __future__ import annotations

from story import Plan, Room, Story, main, now_ms, wait_until
from rig import settings
from rig.room import (community_snmp_device, counter_device, gateway_device, leak_sensor, secure_snmp_device,
                      serial_device)
from simulated_room.snmp_daemon import OTHER_USER

TIMEOUT_S = 180
MEASURED_S = 6.0


def devices(addresses):  # type: ignore[no-untyped-def]
    wrong = secure_snmp_device(addresses | {"snmp_user": OTHER_USER}, "ups_wrong", "密钥错误的 UPS", "ups_mib",
                               auth_key_file="wrong.key")
    return [
        counter_device(addresses, 200),
        gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1),
        gateway_device(addresses, "th2", "热通道温湿度", "renke_rs_ws_n01", 2),
        leak_sensor(addresses),
        serial_device(addresses, "th3", "电池间温湿度", "renke_rs_ws_n01", 1, poll_interval_ms=1000),
        secure_snmp_device(addresses, "ups1", "一号 UPS", "ups_mib"),
        community_snmp_device(addresses, "pdu1", "A1 机柜 PDU", "apc_rpdu2"),
        wrong,
        settings.Device("nobody1", "错误团体名", "ups_mib", f"snmp://127.0.0.1:{addresses['snmp_port']}", "core",
                        {"community_file": "wrong.community"}),
    ]


RULES = """
[[rule]]
id = "test-hot"
kind = "high_limit"
point = "ambient.temperature"
device = "th1"
unit = "celsius"
raise_above = 28.0
clear_below = 26.0
severity = "major"
title_zh = "过热"
title_en = "Hot"
"""


class LostDevices(Story):
    def test_EachLossSaysWhatItIsAndDisturbsNobodyElse(self) -> None:
        with self.new_room(Plan(devices=devices, counter=True, mail=False, rules=RULES)) as room:
            room.agent_folder.mkdir()
            for name, secret in (("wrong.key", "not-the-right-key\n"), ("wrong.community", "nobody\n")):
                (room.agent_folder / name).write_text(secret)
                (room.agent_folder / name).chmod(0o600)
            room.start()
            for device, point in (("th1", "ambient.temperature"), ("th2", "ambient.temperature"), ("leak1", "leak.state"),
                                  ("ups1", "battery.charge"), ("pdu1", "pdu[1].power"),
                                  ("counter1", "device.counter")):
                room.wait_until_good(device, point, 30)
            self.wrong_keys_are_named(room)
            room.order("temperature 33 hold")
            room.wait_for_alarm("test-hot", "th1")
            before, line_before = self.poll_rates(room)

            room.order("silence unit 1")
            room.order("silence unit 2 gateway")
            room.order("silence unit 3 line")
            room.order("snmp silence")
            lost = {"th1": "ambient.temperature", "th2": "ambient.temperature", "leak1": "leak.state", "ups1": "battery.charge",
                    "pdu1": "pdu[1].power"}
            for device, point in lost.items():
                found = room.wait_for_point(device, point, lambda p: p["quality"] == "stale", 40, "stale")
                self.assertIsNone(found["value"], f"{device}: an old value must never be live")
                self.assertIsNotNone(found["last_value"])
                self.assertTrue(found["quality_reason"], device)
                self.assertTrue(found["quality_reason_zh"], device)
                self.assertGreater(found["age_s"], 0)
            for device in ("ups1", "pdu1"):
                self.assertRegex(self.communication(room, device), r"(?i)no answer.*off.*community|unreachable")

            after, line_after = self.poll_rates(room)
            self.tell(f"polls a second of the neighbour on the gateway: {before:.2f} before, {after:.2f} after; "
                      f"on the line: {line_before:.2f} before, {line_after:.2f} after")
            self.assertGreater(after, before * 0.7, "a dead unit slows its neighbour on the gateway")
            self.assertGreater(line_after, line_before * 0.7, "a dead unit slows its neighbour on the line")
            self.assertEqual(room.point("th3", "ambient.temperature")["quality"], "good")

            for device in lost:
                room.wait_for_alarm("lost-data", device, deadline_s=45)
            self.assertTrue(room.find_alarm("test-hot", "th1")["is_active"], "losing the sensor cleared the alarm")

            for command in ("answer unit 1", "answer unit 2", "answer unit 3 line", "snmp answer"):
                room.order(command)
            for device, point in lost.items():
                room.wait_until_good(device, point, 60)
                wait_until(lambda: not room.find_alarm("lost-data", device)["is_active"], 30,  # noqa: B023
                           f"lost-data of {device} to clear")
            self.assertTrue(room.find_alarm("test-hot", "th1")["is_active"])

    def wrong_keys_are_named(self, room: Room) -> None:
        def state(device: str) -> str | None:
            agent = room.rest.agents().get("hq/room1", {"devices": []})
            return next((d["communication"] for d in agent["devices"] if d["id"] == device), None)

        wait_until(lambda: state("ups_wrong") == "not_authorized", 20, "not_authorized for the wrong key")
        wait_until(lambda: state("nobody1") == "no_answer", 20, "no_answer for the wrong community")
        self.assertIn("community", self.communication(room, "nobody1").lower())
        self.tell(f"wrong key: {self.communication(room, 'ups_wrong')}")
        self.tell(f"wrong community: {self.communication(room, 'nobody1')}")

    @staticmethod
    def communication(room: Room, device: str) -> str:
        agent = room.rest.agents()["hq/room1"]
        return str(next(d["communication_text"] for d in agent["devices"] if d["id"] == device))

    @staticmethod
    def poll_rates(room: Room) -> tuple[float, float]:
        """Reads a second of the counter behind the gateway, and of the transmitter on the line."""
        def counts() -> tuple[int, int]:
            return len(room.counter_log.read_text().splitlines()), room.order("line")["by_unit"]["1"]

        start, before = now_ms(), counts()
        wait_until(lambda: now_ms() - start >= MEASURED_S * 1000, MEASURED_S * 2, "the measured time")
        after, seconds = counts(), (now_ms() - start) / 1000.0
        return (after[0] - before[0]) / seconds, (after[1] - before[1]) / seconds


if __name__ == "__main__":
    main()
