# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The page as a person sees it: a real browser before the real aggregator, while the room changes."""

from __future__ import annotations

import os
import shutil
import unittest
from pathlib import Path

from story import REPOSITORY, Plan, Room, Story, main, wait_until
from rig.room import ADMINISTRATOR, leak_sensor

TIMEOUT_S = 120
BUILD = Path(os.environ.get("WATCHROOM_BUILD_DIR", REPOSITORY / "build"))
CACHE = BUILD / "CMakeCache.txt"
# The page's own build has installed it.
PLAYWRIGHT = BUILD / "aggregator" / "web" / "ui" / "page" / "node_modules" / "playwright-core" / "index.mjs"


def devices(addresses):  # type: ignore[no-untyped-def]
    return [leak_sensor(addresses)]


@unittest.skipIf(CACHE.exists() and "WATCHROOM_PAGE:BOOL=OFF" in CACHE.read_text(), "this build has left the page out")
class PageInABrowser(Story):
    def test_TheDutyDeskSeesAcknowledgesAndIsNeverShownAnOldValueAsLive(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False)) as room:
            room.start()
            room.wait_until_good("leak1", "leak.state")
            picture = room.folder / "page.png"
            node = shutil.which("node")
            assert node is not None
            self.assertTrue(PLAYWRIGHT.exists(), f"{PLAYWRIGHT}: the build of the page installs it")
            browser = room.processes.spawn("browser", [
                node, REPOSITORY / "tests" / "peers" / "browser" / "duty.mjs", PLAYWRIGHT,
                f"https://localhost:{room.web_port}/", ADMINISTRATOR, room.password, picture],
                environment={"TMPDIR": str(room.folder)})

            def has_seen(step: str) -> None:
                def said() -> bool:
                    lines = browser.log().splitlines()
                    self.assertFalse([line for line in lines if line.startswith(("outside", "refused "))], lines)
                    if step not in lines:
                        browser.require_running()
                    return step in lines
                wait_until(said, 40, f"the page to show: {step}")
                self.tell(step)

            has_seen("refused-wrong-password")
            has_seen("room")
            room.order("leak on")
            has_seen("alarm")
            has_seen("acknowledged")
            alarm = room.rest.get("/alarms")["alarms"][0]
            self.assertEqual((alarm["acknowledged_by"], alarm["comment"]), (ADMINISTRATOR, "已派人查看"))
            self.assertGreater(picture.stat().st_size, 20_000)
            room.order("silence unit 3 line")
            has_seen("stale")
            room.broker.stop()
            has_seen("broker-lost")


if __name__ == "__main__":
    main()
