# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""tools/demo as a person runs it: once with figures, and live until Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

from story import REPOSITORY, Story, main, run, wait_until
from rig.processes import Process

TIMEOUT_S = 120
LABELS = "trust"
HOPS = ["sensor_to_journal", "journal_to_broker", "broker_to_stored", "stored_to_alarm", "alarm_to_mail"]


def processes_naming(text: str) -> list[str]:
    """Command lines of living processes that mention the text; everything a room starts names its folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


class Demonstration(Story):
    def test_OnceTimesEveryHopOfALeakAndEndsWithJson(self) -> None:
        done = run([REPOSITORY / "tools" / "demo", "--no-build", "--once"], deadline_s=60,
                   environment={"TMPDIR": str(self.new_folder())})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        result = json.loads(done.stdout.splitlines()[-1])
        self.assertIs(result["ok"], True)
        self.assertEqual(list(result["hops_ms"]), HOPS)
        self.assertAlmostEqual(sum(result["hops_ms"].values()), result["total_ms"], delta=1.0)
        self.assertGreaterEqual(result["hops_ms"]["sensor_to_journal"], 0.0)
        self.tell(done.stdout.splitlines()[-1])

    def test_LiveShowsAlarmsAndCtrlCStopsEverything(self) -> None:
        demo = Process("demo", [REPOSITORY / "tools" / "demo", "--no-build"], self.new_folder() / "demo.log",
                       environment={"TMPDIR": str(self.new_folder())}).start()
        self.addCleanup(demo.stop)
        wait_until(lambda: "密码 password" in demo.log(), 30, "the log-in")
        wait_until(lambda: "邮件 mail   " in demo.log() and "告警 alarm" in demo.log(), 40, "an alarm and its mail")
        demo.signal(signal.SIGINT)
        wait_until(lambda: not demo.is_running(), 30, "the end")
        self.assertEqual(demo.stop(), 0, demo.log())
        folder = re.search(r"\S+/watchroom-demo-\w+", demo.log())
        assert folder is not None
        self.assertRegex(demo.log(), r"https://localhost:\d+/")
        self.assertEqual(processes_naming(folder.group(0)), [])

    def test_StartedInTheBackgroundOfAShellItStillHearsCtrlC(self) -> None:
        # Such a shell has SIGINT ignored in what it starts.
        demo = Process("demo", ["/usr/bin/env", "--ignore-signal=INT", REPOSITORY / "tools" / "demo", "--no-build"],
                       self.new_folder() / "demo.log", environment={"TMPDIR": str(self.new_folder())}).start()
        self.addCleanup(demo.stop)
        wait_until(lambda: "启动 start" in demo.log(), 30, "the first part")
        demo.signal(signal.SIGINT)
        wait_until(lambda: not demo.is_running(), 30, "the end")
        self.assertEqual(demo.stop(), 0, demo.log())

    def test_OnceEndsWithJsonAlsoWhenNothingCanStart(self) -> None:
        done = run([REPOSITORY / "tools" / "demo", "--no-build", "--once"], deadline_s=60,
                   environment={"WATCHROOM_BIN_DIR": str(self.new_folder()), "TMPDIR": str(self.new_folder())})
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        result = json.loads(done.stdout.splitlines()[-1])
        self.assertIs(result["ok"], False)
        self.assertIn("is not built", result["missing"][0])


if __name__ == "__main__":
    main()
