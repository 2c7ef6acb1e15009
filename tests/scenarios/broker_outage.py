# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The broker is gone for a while: polling goes on, then the present comes first and the past in full."""

from __future__ import annotations

import signal
from datetime import datetime

from story import Decoder, Plan, Room, Story, main, metric_value, now_ms, stays_true, wait_until
from rig.oracle import holes, repeats
from rig.room import counter_device, gateway_device, leak_sensor

TIMEOUT_S = 150
LABELS = "trust"
OUTAGE_S = 15.0
# Slow enough that the replay lasts some seconds, in which the present must not wait behind the past.
REPLAY_PER_S = 20


def devices(addresses):  # type: ignore[no-untyped-def]
    return [counter_device(addresses, 200), leak_sensor(addresses),
            gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1)]


class BrokerOutage(Story):
    def test_CurrentValuesComeFirstThenTheBacklogWithItsOriginalTimes(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, counter=True, mail=False,
                       journal={"replay_records_per_s": REPLAY_PER_S})) as room:
            room.start()
            decoder = Decoder(room.folder / "schema")
            room.wait_until_good("counter1", "device.counter")
            room.wait_until_good("leak1", "leak.state")

            gone_ms = now_ms()
            room.broker.stop()
            shown_before = self.shown(room)
            wait_until(lambda: room.rest.get("/status")["broker"]["state"] == "unreachable", 15, "unreachable")
            wait_until(lambda: room.rest.agents()["hq/room1"]["state"] == "unknown", 10, "agent unknown")
            wait_until(lambda: now_ms() - gone_ms > OUTAGE_S * 400, OUTAGE_S, "the middle of the outage")
            room.order("leak on")
            wait_until(lambda: now_ms() - gone_ms > OUTAGE_S * 1000, OUTAGE_S, "the end of the outage")
            polled = self.shown(room) - shown_before
            self.tell(f"counter reads during {OUTAGE_S:g} s without broker: {polled}")
            self.assertGreater(polled, OUTAGE_S * 5 * 0.8)
            self.check_one_alarm_for_the_broker(room)

            # The agent stands still for a moment, so that the observer is there before it.
            stopped_ms = now_ms()
            room.agent.signal(signal.SIGSTOP)
            room.broker.start()
            observer = room.observe("after_outage")
            room.agent.signal(signal.SIGCONT)
            back_ms = now_ms()
            alarm = room.wait_for_alarm("leak", "leak1", deadline_s=20)
            self.tell(f"alarm of the cut raised {now_ms() - back_ms} ms after the broker came back")
            self.assertTrue(alarm["is_active"])
            wait_until(lambda: self.is_drained(room), 40, "the backlog to be acknowledged")
            self.check_order_on_the_wire(observer, decoder, gone_ms)
            self.check_store(room, gone_ms, stopped_ms, back_ms)

    def test_AnAlarmThatCameAndWentDuringTheCutIsRecordedAndToldOnce(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, counter=True)) as room:
            room.start()
            room.wait_until_good("leak1", "leak.state")
            room.broker.stop()
            wait_until(lambda: room.rest.get("/status")["broker"]["state"] == "unreachable", 15, "unreachable")
            began = room.order("leak on")["time_ms"]
            wait_until(lambda: now_ms() - began > 5000, 10, "the water to be seen")
            ended = room.order("leak off")["time_ms"]
            wait_until(lambda: now_ms() - ended > 3000, 10, "its end to be seen")
            room.broker.start()
            alarm = room.wait_for_alarm("leak", "leak1", active=False, deadline_s=30)
            raised = datetime.fromisoformat(alarm["raised_at"].replace("Z", "+00:00")).timestamp() * 1000
            self.tell(f"raised {raised - began:.0f} ms after the water came, recorded after the cut")
            self.assertTrue(began - 100 <= raised <= ended, "the time is that of the water, not of the replay")
            mails = wait_until(lambda: [m for m in room.mail_sink.accepted() if "北侧水浸" in m.subject], 15, "a mail")
            self.assertTrue(stays_true(lambda: len(
                [m for m in room.mail_sink.accepted() if "北侧水浸" in m.subject]) == len(mails), 4.0))
            self.assertEqual(len(mails), 1, [m.subject for m in mails])

    @staticmethod
    def shown(room: Room) -> int:
        return len(room.counter_log.read_text().splitlines())

    @staticmethod
    def is_drained(room: Room) -> bool:
        journal = room.rest.agents()["hq/room1"]["journal"]
        cumulative, ranges, _ = room.store.journal("room1")
        return not ranges and bool(journal["head"]) and cumulative >= journal["head"]

    def check_one_alarm_for_the_broker(self, room: Room) -> None:
        room.wait_for_alarm("broker-unreachable", deadline_s=20)
        self.assertIsNone(room.find_alarm("agent-offline"), "unknown, not offline")
        self.assertEqual(room.rest.agents()["hq/room1"]["state"], "unknown")
        for point in room.rest.points(device="th1").values():
            self.assertNotEqual(point["quality"], "good")
            self.assertIsNone(point["value"], "an old value must not look live")

    def check_order_on_the_wire(self, observer, decoder: Decoder, gone_ms: int) -> None:  # type: ignore[no-untyped-def]
        births: dict[str, int] = {}
        historical = live = 0
        past_ms: list[float] = []
        waits_ms: list[tuple[float, float]] = []
        for place, message in enumerate(observer.messages()):
            if message.kind == "DBIRTH":
                births.setdefault(message.device, place)
            if message.kind != "DDATA":
                continue
            metrics = decoder.decode(message.payload).metrics
            flags = {metric.is_historical for metric in metrics}
            self.assertEqual(len(flags), 1, "live and historical in one payload")
            if flags == {True}:
                historical += 1
                past_ms.append(message.time_ms)
                self.assertIn(message.device, births, "history before the birth with the present")
                for metric in metrics:
                    self.assertGreater(metric.timestamp, gone_ms - 20_000)
                    self.assertLess(metric.timestamp, message.time_ms)
            else:
                live += 1
                waits_ms.append((message.time_ms, message.time_ms - max(m.timestamp for m in metrics)))
        self.tell(f"on the wire after the outage: {historical} historical, {live} live DDATA")
        self.assertGreater(historical, OUTAGE_S * 5 * 0.7)
        between = [wait for time_ms, wait in waits_ms if past_ms[0] < time_ms < past_ms[-1]]
        self.tell(f"the replay took {past_ms[-1] - past_ms[0]:.0f} ms; {len(between)} live DDATA in between, the "
                  f"oldest {max(between, default=0):.0f} ms old")
        self.assertGreater(len(between), (past_ms[-1] - past_ms[0]) / 1000 * 5 * 0.5)
        self.assertLess(max(between), 1500, "the present waits behind the past")
        birth = next(m for m in observer.messages() if m.kind == "DBIRTH" and m.device == "leak1")
        leak = [metric_value(m) for m in decoder.decode(birth.payload).metrics if m.name == "leak.state"]
        self.assertEqual(leak, [1], "the birth holds the present")

    def check_store(self, room: Room, gone_ms: int, stopped_ms: int, back_ms: int) -> None:
        records = room.store.records("room1")
        self.assertEqual(repeats(records), [])
        self.assertEqual(holes(records, records[-1]), [])
        taken = [reading.taken_ms for reading in room.store.counter_readings("room1")]
        during = [time_ms for time_ms in taken if gone_ms <= time_ms <= stopped_ms]
        # Not the pause that was our own doing.
        widest = max(later - earlier for earlier, later in zip(taken, taken[1:])
                     if later < stopped_ms or earlier > back_ms)
        self.tell(f"{len(during)} readings stored with times inside the outage; widest gap {widest} ms")
        self.assertGreater(len(during), (stopped_ms - gone_ms) / 200 * 0.8)
        self.assertLess(widest, 2000, "polling paused")


if __name__ == "__main__":
    main()
