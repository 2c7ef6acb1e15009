# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Agent, broker and aggregator are killed (-9) at random moments while readings and alarms flow.

Then: the store holds records 1 … head minus lost, no hole, no repeat; values are what the simulated
counter showed, in order; every leak made its alarm and its mail; nothing was mailed twice except what
was cut off in mid-transfer, and that under one Message-ID.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from dataclasses import dataclass, field

from story import Plan, Room, Story, TimedOut, main, now_ms, wait_until
from rig.oracle import holes, journal_counts, read_counter_log, repeats
from rig.rest import Refused, Unreachable
from rig.room import counter_device, leak_sensor

TIMEOUT_S = 400
KILLS = int(os.environ.get("WATCHROOM_KILLS", "5"))
SEED = int(os.environ.get("WATCHROOM_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)

# A value may be shown to an agent that dies before it has it on disk: the commit interval of the core
# class, the poll under way, and the time the kill itself takes.
UNJOURNALED_MS = 1000
# A mail may be accepted and its sender killed before it has noted that.
UNNOTED_MS = 1500


def devices(addresses):  # type: ignore[no-untyped-def]
    return [counter_device(addresses), leak_sensor(addresses)]


@dataclass
class Kill:
    name: str
    time_ms: int
    back_ms: int = 0


@dataclass
class Leaks:
    """Lets water in and waits until the alarm stands, dries it up and waits until it is gone; again."""

    room: Room
    finished: threading.Event = field(default_factory=threading.Event)
    seen: int = 0
    failure: str = ""

    def run(self) -> None:
        try:
            while not self.finished.is_set():
                self.one()
                self.seen += 1
        except Exception as error:  # noqa: BLE001 (whatever it is, the test must hear of it)
            self.failure = f"after {self.seen} leaks: {error!r}"

    def one(self) -> None:
        for word, active in (("on", True), ("off", False)):
            self.room.order(f"leak {word}")
            wait_until(lambda: self.stands(active), 90, f"leak alarm active={active}")  # noqa: B023

    def stands(self, active: bool) -> bool:
        try:
            alarm = self.room.find_alarm("leak", "leak1")
        except (Unreachable, Refused):
            return False
        return alarm is not None and alarm["is_active"] == active


class CrashLoop(Story):
    def test_NothingIsLostAndNothingIsRepeated(self) -> None:
        self.tell(f"WATCHROOM_SEED={SEED} WATCHROOM_KILLS={KILLS}")
        chance = random.Random(SEED)
        plan = Plan(devices=devices, snmp=False, counter=True, simulator=("--noise", "0", "--baud", "19200"))
        with self.new_room(plan) as room:
            room.start()
            room.wait_until_good("counter1", "device.counter")
            leaks = Leaks(room)
            thread = threading.Thread(target=leaks.run, daemon=True)
            thread.start()
            kills = self.kill_at_random(room, chance)
            leaks.finished.set()
            thread.join(200)
            self.assertFalse(thread.is_alive(), "the leaks go on")
            self.assertEqual(leaks.failure, "")
            self.assertGreaterEqual(leaks.seen, 1)
            self.drain(room)
            self.check_records(room)
            self.check_values(room, kills)
            self.check_alarms(room, leaks.seen, kills)

    def kill_at_random(self, room: Room, chance: random.Random) -> list[Kill]:
        targets = ["agent", "broker", "aggregator"] * KILLS
        chance.shuffle(targets)
        kills = []
        for name in targets:
            self.pause(chance.uniform(0.1, 3.0))
            process = {"agent": room.agent, "broker": room.broker.process, "aggregator": room.aggregator}[name]
            process.require_running()
            kill = Kill(name, now_ms())
            process.kill()
            self.pause(chance.uniform(0.0, 1.5))
            {"agent": room.start_agent, "broker": room.broker.start,
             "aggregator": room.start_aggregator}[name]()
            kill.back_ms = now_ms()
            kills.append(kill)
        return kills

    @staticmethod
    def pause(seconds: float) -> None:
        """The random moment itself; the one place where time passing is the point."""
        end = now_ms() + seconds * 1000
        wait_until(lambda: now_ms() >= end, seconds + 5, "the moment to strike")

    def drain(self, room: Room) -> None:
        """The counter falls silent; what it has shown is in the journal before its silence is."""
        room.order("silence unit 9")
        room.wait_for_point("counter1", "device.counter", lambda point: point["quality"] == "stale", 60, "stale")

        def drained() -> bool:
            cumulative, ranges, _ = room.store.journal("room1")
            return not ranges and cumulative >= journal_counts(room.agent_folder / "data")[0]

        try:
            wait_until(drained, 90, "the journal to be stored and acknowledged whole")
        except TimedOut:
            self.tell(f"store: {room.store.journal('room1')}, agents: {room.rest.agents()}")
            raise

    def check_records(self, room: Room) -> None:
        head, lost = journal_counts(room.agent_folder / "data")
        wait_until(lambda: room.store.journal("room1")[0] >= head, 30, "the last records")
        records = room.store.records("room1")
        cumulative, ranges, missing = room.store.journal("room1")
        told = room.rest.agents()["hq/room1"]["journal"]
        self.tell(f"records stored {len(records)}, last {records[-1]}, head in the agent's journal {head}, "
                  f"lost {lost}, missing {missing}; the page says {told}")
        self.assertEqual((lost, told["lost"]), (0, 0))
        self.assertEqual((ranges, missing), ("", 0))
        self.assertEqual(repeats(records), [])
        self.assertEqual(holes(records, max(cumulative, head)), [])

    def check_values(self, room: Room, kills: list[Kill]) -> None:
        shown = read_counter_log(room.counter_log)
        readings = room.store.counter_readings("room1")
        values = [reading.value for reading in readings]
        self.assertEqual(values, sorted(set(values)), "values repeat or are out of order")
        for reading in readings:
            self.assertIn(reading.value, shown, "a value the device never showed")
            self.assertLess(abs(reading.taken_ms - shown[reading.value]), 2000, reading)
        stored = set(values)
        lost = [value for value in shown if value not in stored]
        agent_kills = [kill for kill in kills if kill.name == "agent"]
        unexplained = [value for value in lost if not any(
            kill.time_ms - UNJOURNALED_MS <= shown[value] <= kill.back_ms + UNJOURNALED_MS
            for kill in agent_kills)]
        self.tell(f"counter: {len(shown)} shown, {len(values)} stored, {len(lost)} lost before the journal had "
                  f"them (agent killed {len(agent_kills)} times), {len(unexplained)} unexplained")
        self.assertEqual([(value, shown[value]) for value in unexplained], [])

    def check_alarms(self, room: Room, leaks: int, kills: list[Kill]) -> None:
        wait_until(lambda: room.store.query("SELECT count(*) FROM mail WHERE state = 'waiting'") == [(0,)], 60,
                   "the outbox to empty")
        mails = room.store.query(
            "SELECT alarm.rule, mail.event, mail.message_id, mail.state FROM mail JOIN alarm ON alarm.id = alarm_id")
        self.assertEqual([mail for mail in mails if mail[3] != "sent"], [])
        raised = [mail for mail in mails if mail[0] == "leak" and mail[1].startswith("raised")]
        self.tell(f"{leaks} leaks, {len(raised)} mails of raised leak alarms, {len(mails)} mails in all")
        self.assertEqual(len(raised), leaks)
        accepted = room.mail_sink.accepted()
        times = Counter(transfer.message_id for transfer in accepted)
        self.assertEqual(set(times), {mail[2] for mail in mails}, "outbox and mailbox differ")
        for message_id, count in times.items():
            if count == 1:
                continue
            first = next(t.time_ms for t in accepted if t.message_id == message_id)
            cut_off = [kill for kill in kills if kill.name == "aggregator"
                       and first - UNNOTED_MS <= kill.time_ms <= first + UNNOTED_MS]
            self.tell(f"{message_id} accepted {count} times, aggregator killed {[k.time_ms - first for k in cut_off]} "
                      "ms after the first")
            self.assertTrue(cut_off, f"{message_id} was mailed {count} times without being cut off")


if __name__ == "__main__":
    main()
