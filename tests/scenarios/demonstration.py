# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""tools/demo as a person runs it: once with figures, and live until Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from story import REPOSITORY, Story, main, run, wait_until

TIMEOUT_S = 120
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
        done = run([REPOSITORY / "tools" / "demo", "--no-build", "--once"], deadline_s=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        result = json.loads(done.stdout.splitlines()[-1])
        self.assertIs(result["ok"], True)
        self.assertEqual(list(result["hops_ms"]), HOPS)
        self.assertAlmostEqual(sum(result["hops_ms"].values()), result["total_ms"], delta=1.0)
        self.assertGreaterEqual(result["hops_ms"]["sensor_to_journal"], 0.0)
        self.tell(done.stdout.splitlines()[-1])

    def test_LiveShowsAlarmsAndCtrlCStopsEverything(self) -> None:
        with tempfile.NamedTemporaryFile("w+") as output:
            demo = subprocess.Popen([REPOSITORY / "tools" / "demo", "--no-build"], stdout=output,
                                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

            def text() -> str:
                return Path(output.name).read_text()

            try:
                wait_until(lambda: "密码 password" in text(), 30, "the log-in")
                wait_until(lambda: "邮件 mail   " in text() and "告警 alarm" in text(), 40, "an alarm and its mail")
            finally:
                demo.send_signal(signal.SIGINT)
                code = demo.wait(timeout=30)
            self.assertEqual(code, 0, text())
            folder = re.search(r"/tmp/watchroom-demo-\w+|\S+/watchroom-demo-\w+", text())
            assert folder is not None
            self.assertRegex(text(), r"https://localhost:\d+/")
            self.assertEqual(processes_naming(folder.group(0)), [])
            shutil.rmtree(folder.group(0), ignore_errors=True)


if __name__ == "__main__":
    main()
