# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""One reading above the limit, then nothing more to report: the delay still ends, by time."""

from __future__ import annotations

from datetime import datetime

from story import Decoder, Message, Plan, Room, Story, main, metric_value, wait_until
from rig.room import gateway_device

TIMEOUT_S = 90
DELAY_S = 6

RULES = f"""
[[rule]]
id = "test-hot"
kind = "high_limit"
point = "ambient.temperature"
unit = "celsius"
raise_above = 28.0
clear_below = 26.0
on_delay_s = {DELAY_S}
off_delay_s = {DELAY_S}
severity = "major"
title_zh = "过热"
title_en = "Hot"
"""


def devices(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1, poll_interval_ms=500,
                           max_silence_s=60)]


class OneReadingThenSilence(Story):
    def test_TheAlarmIsRaisedWhenItsDelayEnds(self) -> None:
        plan = Plan(devices=devices, snmp=False, rules=RULES, mail=False, simulator=("--noise", "0"))
        with self.new_room(plan) as room:
            room.start_simulator()
            room.order("temperature 22 hold")
            room.broker.start()
            decoder = Decoder(room.folder / "schema")
            observer = room.observe()
            room.start_aggregator()
            room.start_agent()
            wait_until(lambda: [r for m in observer.messages() for r in self.reports(decoder, m)], 20, "a first report")
            room.wait_for_point("th1", "ambient.temperature", lambda p: p["value"] == 22.0, 20, "22")
            for celsius, active in ((31, True), (22, False)):
                seen_before = len(observer.messages())
                changed = room.order(f"temperature {celsius} hold")["time_ms"]
                alarm = room.wait_for_alarm("test-hot", "th1", active=active, deadline_s=DELAY_S + 10)
                reports = [r for m in observer.messages()[seen_before:] for r in self.reports(decoder, m)]
                self.assertEqual(reports, [float(celsius)], "exactly one report, then silence")
                field = "raised_at" if active else "cleared_at"
                self.tell(f"{celsius} degC at {changed} ms, {field} {alarm[field]}")
                self.assertIsNotNone(alarm[field])
                delay_s = (self.milliseconds(alarm[field]) - changed) / 1000.0
                self.assertGreaterEqual(delay_s, DELAY_S - 0.1)
                self.assertLessEqual(delay_s, DELAY_S + 4)

    @staticmethod
    def reports(decoder: Decoder, message: Message) -> list[object]:
        """Temperatures in a DDATA."""
        if message.kind != "DDATA":
            return []
        return [metric_value(metric) for metric in decoder.decode(message.payload).metrics
                if metric.name == "ambient.temperature"]

    @staticmethod
    def milliseconds(rfc3339: str) -> float:
        return datetime.fromisoformat(rfc3339.replace("Z", "+00:00")).timestamp() * 1000.0


if __name__ == "__main__":
    main()
