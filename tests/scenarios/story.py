# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""What every story starts from: the rig on the path, and a test case that prints what it measures."""

from __future__ import annotations

import sys
import time
import unittest
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tools"))

from rig.observer import Decoder, Message, Observer, connection, metric_value  # noqa: E402
from rig.processes import TimedOut, program, run, wait_until  # noqa: E402
from rig.room import Plan, Room  # noqa: E402

__all__ = ["REPOSITORY", "Decoder", "Message", "Observer", "Plan", "Room", "Story", "TimedOut", "connection",
           "main", "metric_value", "now_ms", "program", "run", "stays_true", "wait_until"]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def stays_true(condition: Callable[[], bool], duration_s: float) -> bool:
    """Polls for the whole duration; False as soon as the condition fails."""
    try:
        wait_until(lambda: not condition(), duration_s, "a change that must not come")
    except TimedOut:
        return True
    return False


class Story(unittest.TestCase):
    maxDiff = None

    def tell(self, text: str) -> None:
        """A line of the protocol, so that a passed run can be judged too."""
        print(f"    {text}", flush=True)


def main() -> None:
    unittest.main(verbosity=2)
