# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""An edge node on somebody else's Sparkplug library (npm sparkplug-client) feeds our aggregator."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from story import REPOSITORY, Plan, Room, Story, main, program, run, wait_until

from rig.rest import Refused

TIMEOUT_S = 180
PEER = REPOSITORY / "tests" / "peers" / "sparkplug_client"


def installed_peer() -> Path:
    """The peer in the build folder, with its packages; installed once per change of the lock file."""
    build = Path(os.environ.get("WATCHROOM_BUILD_DIR", tempfile.gettempdir()))
    target = build / "peers" / "sparkplug_client"
    lock = (PEER / "package-lock.json").read_bytes()
    marker = target / "installed.lock"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "edge_node.mjs"):
        shutil.copy(PEER / name, target / name)
    if not marker.exists() or marker.read_bytes() != lock:
        done = run([program("npm"), "ci", "--prefix", target, "--no-audit", "--no-fund", "--ignore-scripts"],
                   deadline_s=120)
        if done.returncode != 0:
            raise AssertionError(f"npm ci: {done.stdout}{done.stderr}")
        marker.write_bytes(lock)
    return target


class ForeignEdgeNode(Story):
    def test_ANodeOfAnotherLibraryIsShownStoredAndMissedWhenItGoes(self) -> None:
        peer = installed_peer()
        with self.new_room(Plan(devices=lambda _: [], snmp=False, mail=False)) as room:
            room.broker.start()
            room.start_aggregator()
            identity = room.authority.client("lab7")
            node = room.processes.spawn("edge_node", [
                program("node"), peer / "edge_node.mjs", f"mqtts://localhost:{room.broker.port}", "campus",
                "lab7", "chiller", room.authority.ca_file, identity.certificate_file, identity.key_file])
            wait_until(lambda: node.require_running() or "published" in node.log(), 20, "the first DDATA")

            def points() -> dict[str, object]:
                return {p["name"]: p for p in room.rest.get("/points", site="campus")["points"]}

            found = wait_until(lambda: points() if "Supply/Temperature" in points() else None, 15, "its points")
            supply = found["Supply/Temperature"]
            self.assertEqual((supply["agent"], supply["device"], supply["quality"]), ("lab7", "chiller", "good"))
            wait_until(lambda: points()["Supply/Temperature"]["value"] > 12.0, 15, "its readings to arrive")
            self.assertIs(points()["Compressor/Running"]["value"], True)
            self.assertEqual(room.rest.agents()["campus/lab7"]["state"], "online")
            stored = room.store.query(
                "SELECT count(*) FROM inbox JOIN node ON node.id = node_id WHERE agent = 'lab7'")[0][0]
            self.assertGreater(stored, 0, "readings of a node without journal are stored too")
            self.assertEqual(room.rest.agents()["campus/lab7"]["counters"]["decode_errors"], 0)

            # Somebody wants the chiller read more often.
            place = "/devices/campus/lab7/chiller/class"
            asked = room.rest.put(place, {"class": "core"})
            self.assertEqual((asked["class"], asked["class_wanted"], asked["class_request"]),
                             ("general", "core", "pending"))

            def chiller() -> dict[str, object]:
                return next(d for d in room.rest.agents()["campus/lab7"]["devices"] if d["id"] == "chiller")

            wait_until(lambda: chiller()["class"] == "core", 15, "the class to be carried out")
            self.assertIn("dcmd chiller Properties/Class=core", node.log())
            self.assertEqual(
                [chiller()[key] for key in ("class_configured", "class_request", "class_wanted", "poll_interval_ms")],
                ["general", "none", None, 500])
            with self.assertRaises(Refused) as refused:
                room.rest.put("/devices/campus/lab7/pump/class", {"class": "core"})
            self.assertEqual(refused.exception.status, 404)
            self.assertIn("alarms that cannot be read are ignored", room.aggregator.log())

            # The aggregator starts again and knows nothing of this session: it asks for a rebirth.
            room.aggregator.stop()
            room.start_aggregator()
            wait_until(lambda: "rebirth" in node.log(), 20, "a rebirth request")
            wait_until(lambda: points().get("Supply/Temperature", {}).get("quality") == "good", 15, "good again")

            node.kill()
            wait_until(lambda: room.rest.agents()["campus/lab7"]["state"] == "offline", 40, "offline by its will")
            self.assertIsNone(points()["Supply/Temperature"]["value"])
            with self.assertRaises(Refused) as refused:
                room.rest.put(place, {"class": "general"})
            self.assertEqual(refused.exception.status, 409)


if __name__ == "__main__":
    main()
