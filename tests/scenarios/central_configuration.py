# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""What an agent is to be like comes from the centre, signed: followed, refused with reasons, given up for what worked;
and nobody but the centre can give it."""

from __future__ import annotations

import base64
import datetime
import json
from pathlib import Path

from story import Plan, Story, main, program, run, wait_until
from rig.broker_thief import BrokerThief
from rig.room import binary, gateway_device

TIMEOUT_S = 240
LABELS = "trust"


def first_sensor(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1, poll_interval_ms=500)]


class CentralConfiguration(Story):
    def setUp(self) -> None:
        self.room = self.enterContext(self.new_room(Plan(devices=first_sensor, snmp=False, mail=False, enrolment={})))
        self.room.start()
        self.room.wait_until_good("th1", "ambient.temperature")

    def written(self, name: str, text: str) -> Path:
        path = self.room.folder / name
        path.write_text(text)
        return path

    def give(self, path: Path, *more: str):  # type: ignore[no-untyped-def]
        return self.room.command("config", "set", "hq/room1", path, "--lang", "en", *more)

    def other_sensor(self) -> str:
        return gateway_device(self.room.addresses, "meter1", "进线电表", "eastron_sdm630", 3,
                              poll_interval_ms=500).text()

    def state(self) -> str:
        point = self.room.point("self", "configuration.state")
        return point["state"] if point else ""

    def given(self) -> dict[str, int]:
        return dict(json.loads(self.room.command("config", "show", "hq/room1", "--json").stdout))

    def test_AnAgentFollowsWhatItIsGivenAndSaysWhatIsWrongWithIt(self) -> None:
        room = self.room
        done = self.give(self.written("meters.toml", self.other_sensor()), "--reason", "the meter, too")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + room.agent.log()[-2000:])
        self.assertIn("in force", done.stdout)
        room.wait_until_good("meter1", "meter[L1].voltage")
        wait_until(lambda: self.state() == "from the centre", 30, "the state of the configuration at the centre")

        # A restart keeps it; so does agent.toml when it is read anew.
        room.agent.kill()
        room.start_agent()
        wait_until(lambda: "1 devices" in room.agent.log().split("watchroom-agent ")[-1], 20, "the second start")
        room.wait_until_good("meter1", "meter[L1].voltage")

        # What is wrong is told with place and reason, and what ran goes on.
        done = self.give(self.written("wrong.toml", self.other_sensor().replace("eastron_sdm630", "no_such_meter")))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn('"no_such_meter" is not known', done.stdout)
        alarm = room.wait_for_alarm("agent-configuration", "self", deadline_s=30)
        self.assertEqual(alarm["severity"], "minor")
        room.wait_until_good("meter1", "meter[L1].voltage")

        # What no agent could follow is refused at the centre.
        done = self.give(self.written("broken.toml", "[[device]\n"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("configuration:1", done.stdout + done.stderr)
        done = self.give(self.written("greedy.toml", "[broker]\nhost = \"elsewhere\"\n"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("stays in the agent's own file", done.stdout + done.stderr)
        done = self.give(self.written("nosy.toml", "[snmp_traps]\nlisten = []\ncommunity_file = \"/etc/shadow\"\n"))
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("is not allowed here", done.stdout)

        # The first one again; everything is in the audit.
        history = json.loads(room.command("config", "history", "hq/room1", "--json").stdout)["configurations"]
        self.assertEqual(len(history), 3)
        done = room.command("config", "restore", "hq/room1", str(history[-1]["number"]), "--lang", "en")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        entries = [one for one in room.rest.get("/audit", limit=1000)["entries"] if one["action"] == "agent.configure"]
        self.assertEqual([one["outcome"] for one in entries].count("done"), 4)
        self.assertGreaterEqual([one["outcome"] for one in entries].count("failed"), 2)

    def test_NobodyButTheCentreGivesOne(self) -> None:
        """Who has stolen the broker, or the centre's certificate for it, can publish; nobody listens."""
        room = self.room
        thief = BrokerThief(room)
        done = self.give(self.written("meters.toml", self.other_sensor()))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        room.wait_until_good("meter1", "meter[L1].voltage")
        genuine = thief.orders("configuration")[0]
        forged = bytearray(base64.b64decode(genuine))
        forged[40] ^= 1
        for text, why in ((genuine, "was heard already"), (base64.b64encode(bytes(forged)).decode(), "refused"),
                          ("!", "not in base64")):
            before = room.agent.log().count("is refused")
            thief.publish(text)
            wait_until(lambda: room.agent.log().count("is refused") > before, 15, f"the refusal of {text[:20]}")
            self.assertIn(why, room.agent.log())
        alarm = room.wait_for_alarm("agent-orders-refused", "self", deadline_s=30)
        self.assertEqual(alarm["severity"], "major")
        # The thief put the centre out with its own certificate for a moment; what the agent does is as it was.
        room.wait_until_good("meter1", "meter[L1].voltage")
        self.assertEqual(room.point("self", "configuration.number")["value"], self.given()["number"])

    def test_ARotatedSigningKeyServesAtOnceAndEndsTheStolenOne(self) -> None:
        room = self.room
        done = self.give(self.written("meters.toml", self.other_sensor()))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        key = room.house.folder / "signing.pem"
        stolen = key.read_bytes()
        done = run([binary("watchroom-aggregator"), "authority", "rotate-signing-key",
                    room.aggregator_folder / "aggregator.toml"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("by the next order that it takes", done.stdout)
        self.assertNotEqual(key.read_bytes(), stolen)
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        # The agent hears of it though nothing is ordered, and says so.
        since = self.key_since(key)
        room.wait_for_point("self", "orders.key_since", lambda point: point["value"] == since, 60, "the key of now")
        serial = done.stdout.split("serial ")[1].split(";")[0]
        # Agents keep no list of the revoked: revoking a signing key would only look as if it ended it.
        done = run([binary("watchroom-aggregator"), "authority", "revoke", room.aggregator_folder / "aggregator.toml",
                    "--serial", serial, "--reason", "stolen"])
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("rotate-signing-key", done.stderr)

        # The aggregator that runs signs with it, and writes down that it does.
        done = self.give(self.written("again.toml", self.other_sensor().replace("进线电表", "总电表")))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        entries = room.rest.get("/audit", limit=1000)["entries"]
        self.assertTrue([one for one in entries if one["action"] == "signing.renew" and serial in one["detail"]])

        # Who has the old key signs with it: the agent has heard the new one.
        number = room.point("self", "configuration.number")["value"]
        key.write_bytes(stolen)
        room.rest.put("/agents/hq/room1/configuration",
                      {"text": self.other_sensor().replace("进线电表", "假电表"), "comment": "by a thief"})
        wait_until(lambda: "which a newer one of" in room.agent.log(), 30, "the refusal of the old key")
        self.assertEqual(room.point("self", "configuration.number")["value"], number)
        room.wait_until_good("meter1", "meter[L1].voltage")

    def key_since(self, key: Path) -> int:
        """Of the certificate in signing.pem, in seconds since 1970."""
        shown = run([program("openssl"), "x509", "-in", key, "-noout", "-startdate"])
        self.assertEqual(shown.returncode, 0, shown.stderr)
        start = datetime.datetime.strptime(shown.stdout.strip().split("=", 1)[1], "%b %d %H:%M:%S %Y %Z")
        return int(start.replace(tzinfo=datetime.timezone.utc).timestamp())


if __name__ == "__main__":
    main()
