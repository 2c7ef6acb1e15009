# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""When one change of a sensor passed each station on its way to the mailbox.

Every time comes from where the thing happened, none from the program that is being timed alone: the
simulated device, a copy of the agent's journal as SQLite reads it, a subscriber of its own, the
aggregator's store, the mail sink. All share this machine's clock.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.observer import Decoder, Observer, metric_value
from rig.oracle import copied_journal
from rig.room import Room

HOPS = ("sensor_to_journal", "journal_to_broker", "broker_to_stored", "stored_to_alarm", "alarm_to_mail")
WATCH_INTERVAL_S = 0.002


class JournalWatch:
    """Notes when each journal record is in a copy of the journal's files, which is when it is committed.

    The agent deletes a record once it is acknowledged, a second or so later, so it must be watched.
    """

    def __init__(self, data_folder: Path) -> None:
        self._folder = data_folder
        self._ended = threading.Event()
        self.seen_ms: dict[int, float] = {}
        self.failure = ""
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> JournalWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(5)

    def _watch(self) -> None:
        try:
            log = self._folder / "journal.sqlite-wal"
            last, changed_ns = 0, 0
            while not self._ended.wait(WATCH_INTERVAL_S):
                if (now_ns := log.stat().st_mtime_ns) == changed_ns:
                    continue
                changed_ns, seen_ms = now_ns, time.time() * 1000.0
                with copied_journal(self._folder) as database:
                    # agent/journal: table `record`, keyed by the number that travels on the wire.
                    for (number,) in database.execute("SELECT number FROM record WHERE number > ?", (last,)):
                        self.seen_ms.setdefault(int(number), seen_ms)
                        last = max(last, int(number))
        except (sqlite3.Error, OSError) as error:
            self.failure = f"the agent's journal cannot be read: {error!r}"


@dataclass
class Passage:
    """Times in ms since the epoch; what is missing says which station never saw the change."""

    sensor: float
    journal: float | None = None
    broker: float | None = None
    stored: float | None = None
    alarm: float | None = None
    mail: float | None = None
    mail_file: str = ""
    record: int | None = None
    missing: list[str] = field(default_factory=list)

    def hops_ms(self) -> dict[str, float]:
        times = (self.sensor, self.journal, self.broker, self.stored, self.alarm, self.mail)
        return {name: round(later - earlier, 1) for name, earlier, later in zip(HOPS, times, times[1:])
                if earlier is not None and later is not None}

    def total_ms(self) -> float | None:
        return None if self.mail is None else round(self.mail - self.sensor, 1)


def on_the_wire(observer: Observer, decoder: Decoder, device: str, point: str, value: Any,
                since_ms: float) -> tuple[int, float] | None:
    """Record number and delivery time of the first DDATA with that value."""
    for message in observer.messages():
        if message.kind != "DDATA" or message.device != device or message.time_ms < since_ms:
            continue
        payload = decoder.decode(message.payload)
        stamp = decoder.stamp(payload)
        if stamp is not None and any(metric.name == point and metric_value(metric) == value
                                     for metric in payload.metrics):
            return int(stamp.record), message.time_ms
    return None


def complete(passage: Passage, room: Room, observer: Observer, decoder: Decoder, watch: JournalWatch,
             device: str, point: str, value: Any, rule: str) -> bool:
    """Fills in what is known by now; True when every station has seen the change."""
    if passage.record is None:
        seen = on_the_wire(observer, decoder, device, point, value, passage.sensor - 1000.0)
        if seen is not None:
            passage.record, passage.broker = seen
    if passage.record is not None and passage.journal is None:
        seen_ms = watch.seen_ms.get(passage.record)
        # The watch looks every few ms; a record is on disk before it leaves, so it was at the latest then.
        passage.journal = None if seen_ms is None or passage.broker is None else min(seen_ms, passage.broker)
    if passage.record is not None and passage.stored is None:
        rows = room.store.query(
            "SELECT committed_ms FROM inbox JOIN node ON node.id = node_id WHERE agent = ? AND record = ?",
            room.plan.agent, passage.record)
        passage.stored = float(rows[0][0]) if rows else None
    alarm = room.find_alarm(rule, device, active=True)
    if alarm is not None and passage.alarm is None:
        # The mail's row is written in the transaction that raises the alarm.
        rows = room.store.query("SELECT min(created_ms) FROM mail WHERE alarm_id = ? AND created_ms >= ?",
                                alarm["id"], int(passage.sensor) - 1)
        passage.alarm = float(rows[0][0]) if rows and rows[0][0] is not None else None
    assert room.mail_sink is not None
    for transfer in room.mail_sink.accepted():
        if alarm is not None and passage.mail is None and f"alarm-{alarm['id']}-" in transfer.message_id:
            passage.mail, passage.mail_file = float(transfer.time_ms), str(transfer.file)
    passage.missing = [name for name in ("journal", "broker", "stored", "alarm", "mail")
                       if getattr(passage, name) is None]
    return not passage.missing
