# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""What every story starts from: the rig on the path, and a test case that prints what it measures and keeps the
folders of what failed."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SKIPPED = 77
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

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """A room cannot know of a failure in a subTest or outside its own `with`; the result does."""
        self._folders: list[Path] = []
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        try:
            return super().run(result)
        finally:
            failed = len(result.failures) + len(result.errors) > before or sys.exc_info()[0] is not None
            for folder in self._folders:
                if failed or "WATCHROOM_KEEP" in os.environ:
                    print(f"    {self.id()}: logs and data are kept in {folder}", file=sys.stderr, flush=True)
                else:
                    shutil.rmtree(folder, ignore_errors=True)

    def new_folder(self) -> Path:
        """Removed after a good test, kept after a failed one."""
        self._folders.append(Path(tempfile.mkdtemp(prefix="watchroom-")))
        return self._folders[-1]

    def new_room(self, plan: Plan) -> Room:
        """In such a folder; use as a context manager."""
        return Room(plan, self.new_folder())

    def tell(self, text: str) -> None:
        """A line of the protocol, so that a passed run can be judged too."""
        print(f"    {text}", flush=True)


def main() -> None:
    """Exit code 77, ctest's "skipped", when every test was."""
    ended = unittest.main(verbosity=2, exit=False).result
    if not ended.wasSuccessful() or ended.testsRun == 0:
        sys.exit(1)
    sys.exit(SKIPPED if len(ended.skipped) == ended.testsRun else 0)
