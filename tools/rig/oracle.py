# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""What the aggregator's store must hold, read with SQLite alone (aggregator/store/migrations), and what the agent's
journal says (agent/journal)."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.processes import RigError


@contextmanager
def read_only(folder: Path) -> Iterator[sqlite3.Connection]:
    """The store of a data folder."""
    file = folder / "watchroom.db"
    if not file.exists():
        raise RigError(f"no store in {folder}: {sorted(path.name for path in folder.iterdir())}")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as database:
        yield database


@contextmanager
def copied_journal(folder: Path) -> Iterator[sqlite3.Connection]:
    """The agent's journal as a power cut would leave it now: a running agent lets nobody else open it."""
    with tempfile.TemporaryDirectory(prefix="watchroom-journal-") as copy:
        # The log first: what is folded into the file meanwhile is in this log too.
        for name in ("journal.sqlite-wal", "journal.sqlite"):
            if (folder / name).exists():
                shutil.copyfile(folder / name, Path(copy) / name)
        with closing(sqlite3.connect(Path(copy) / "journal.sqlite")) as database:
            yield database


@dataclass(frozen=True)
class CounterReading:
    record: int
    taken_ms: int
    value: int


class Store:
    """Questions to a data folder, running or not."""

    def __init__(self, data_folder: Path) -> None:
        self._folder = data_folder

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with read_only(self._folder) as database:
            return database.execute(sql, parameters).fetchall()

    def records(self, agent: str) -> list[int]:
        """Of the only journal an agent has had; more than one id or generation is an error here."""
        rows = self.query(
            "SELECT hex(journal_id), generation, record FROM inbox JOIN node ON node.id = inbox.node_id"
            " WHERE node.agent = ? AND record IS NOT NULL ORDER BY record", agent)
        journals = {(row[0], row[1]) for row in rows}
        if len(journals) > 1:
            raise AssertionError(f"{agent} has several journals: {journals}")
        return [int(row[2]) for row in rows]

    def journal(self, agent: str) -> tuple[int, str, int]:
        """cumulative, ranges above it, missing."""
        rows = self.query("SELECT cumulative, ranges, missing FROM journal JOIN node ON node.id = node_id"
                          " WHERE node.agent = ?", agent)
        if len(rows) != 1:
            raise AssertionError(f"expected one journal of {agent}, got {rows}")
        return int(rows[0][0]), str(rows[0][1]), int(rows[0][2])

    def samples(self, agent: str, device: str, point: str) -> list[tuple[int, int, Any, str, int]]:
        """record, taken_ms, value, quality, committed_ms in journal order."""
        return [(int(r[0]), int(r[1]), r[2], str(r[3]), int(r[4])) for r in self.query(
            "SELECT inbox.record, sample.taken_ms, sample.value, sample.quality, inbox.committed_ms FROM sample"
            " JOIN point ON point.id = sample.point_id JOIN device ON device.id = point.device_id"
            " JOIN node ON node.id = device.node_id JOIN inbox ON inbox.id = sample.inbox_id"
            " WHERE node.agent = ? AND device.device = ? AND point.name = ? AND inbox.record IS NOT NULL"
            " ORDER BY inbox.record, sample.position", agent, device, point)]

    def counter_readings(self, agent: str, device: str = "counter1") -> list[CounterReading]:
        return [CounterReading(record, taken, int(value))
                for record, taken, value, quality, _ in self.samples(agent, device, "device.counter")
                if quality == "good"]


def journal_counts(data_folder: Path) -> tuple[int, int]:
    """head, lost: the number of the last record the agent ever wrote, and how many it had to drop."""
    with copied_journal(data_folder) as journal:
        # One statement sees one moment. The setting is behind while rows are there, the rows go once acknowledged.
        head, lost = journal.execute(
            "SELECT max(ifnull((SELECT max(number) FROM record), 0),"
            " ifnull((SELECT value FROM setting WHERE name = 'head'), 0)),"
            " ifnull((SELECT value FROM setting WHERE name = 'lost'), 0)").fetchone()
    return int(head), int(lost)


def holes(records: list[int], head: int) -> list[tuple[int, int]]:
    """Missing ranges of 1 … head."""
    missing, expected = [], 1
    for record in [*records, head + 1]:
        if record > expected:
            missing.append((expected, record - 1))
        expected = record + 1
    return missing


def repeats(records: list[int]) -> list[int]:
    return [later for earlier, later in zip(records, records[1:]) if later == earlier]


def read_counter_log(path: Path) -> dict[int, int]:
    """Value -> time at which the simulated device showed it."""
    shown: dict[int, int] = {}
    for line in path.read_text().splitlines():
        time_ms, value = line.split()
        shown[int(value)] = int(time_ms)
    return shown
