# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The whole path once: every kind of device is read, a leak becomes an alarm, a mail, an acknowledgement."""

from __future__ import annotations

import email
import email.policy
import json
import ssl
import urllib.error
import urllib.request
from dataclasses import replace

from story import Plan, Room, Story, main, wait_until
from rig.processes import PATIENCE
from rig.room import whole_room

TIMEOUT_S = 120

# A point each that only a correctly read device can show, with what the room holds (noise is off).
EXPECTED = {
    ("th1", "ambient.temperature"): (22.0, 1.0),
    ("th3", "ambient.humidity"): (48.0, 3.0),
    ("leak1", "leak.state"): (0, 0),
    ("meter1", "meter.frequency"): (50.0, 0.2),
    ("ups2", "battery.charge"): (100.0, 1.0),
    ("gas1", "gas_cylinder.pressure"): (4.25, 0.05),
    ("contacts1", "contact[1].state"): (0, 0),
    ("ups1", "battery.charge"): (100.0, 1.0),
    ("pdu1", "outlet[3].current"): (1.4, 0.3),
}


# 3.5 characters of 8N1 at 9600 baud, and what must be come near to for the check of it to mean anything.
QUIET_MS = 3.5 * 10 / 9600 * 1000
NEAR_QUIET_MS = 2 * QUIET_MS * PATIENCE


def devices(addresses):  # type: ignore[no-untyped-def]
    """Both devices of the serial line are asked so often that one request follows the other at once."""
    return [replace(device, more={**device.more, "poll_interval_ms": 100}) if device.id in ("leak1", "th3") else device
            for device in whole_room(addresses)]


class FromSensorToMail(Story):
    def test_ALeakIsReadStoredAlarmedMailedAndAcknowledged(self) -> None:
        with self.new_room(Plan(devices=devices, simulator=("--noise", "0"))) as room:
            room.start()
            for (device, point), (value, tolerance) in EXPECTED.items():
                found = room.wait_until_good(device, point, 30)
                with self.subTest(device=device, point=point):
                    self.assertAlmostEqual(found["value"], value, delta=tolerance)

            injected = room.order("leak on")["time_ms"]
            alarm = room.wait_for_alarm("leak", "leak1")
            self.assertEqual(alarm["severity"], "critical")
            self.assertEqual(alarm["state"], "unacknowledged")
            mail = wait_until(lambda: room.mail_sink.accepted(), 15, "the mail")[0]
            self.tell(f"leak to mail accepted: {mail.time_ms - injected} ms")
            self.assertTrue(mail.subject.startswith("[紧急]"), mail.subject)
            self.assertIn("hq/room1", mail.subject)
            self.assertIn("北侧水浸", mail.subject)
            self.assertRegex(mail.message_id, rf"^<alarm-{alarm['id']}-raised-1-\d+-[0-9a-f]{{8}}@watchroom>$")
            text = email.message_from_bytes(mail.file.read_bytes(), policy=email.policy.default)
            self.assertEqual(text.get_content_type(), "text/plain")
            self.assertIn("漏水", text.get_content())

            self.acknowledge_and_clear(room, alarm["id"])
            self.check_entrance(room)
            line = room.order("line")
            self.tell(f"serial line: {line['requests']} requests, shortest silence {line['shortest_silence_ms']} ms")
            self.assertEqual(line["too_early"], 0, "requests inside the 3.5 characters of silence")
            self.assertGreaterEqual(line["shortest_silence_ms"], round(QUIET_MS, 3))
            self.assertLess(line["shortest_silence_ms"], NEAR_QUIET_MS, "no request followed another at once")

            self.assertEqual(room.agent.stop(), 0, room.agent.tail())
            self.assertEqual(room.aggregator.stop(), 0, room.aggregator.tail())

    def acknowledge_and_clear(self, room: Room, alarm_id: int) -> None:
        done = room.command("ack", str(alarm_id), "--comment", "已派人处理")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        alarm = wait_until(lambda: next((a for a in room.rest.alarms() if a["id"] == alarm_id and
                                         a["state"] == "acknowledged"), None), 5, "acknowledged")
        self.assertEqual((alarm["acknowledged_by"], alarm["comment"]), ("admin", "已派人处理"))
        room.order("leak off")
        cleared = wait_until(lambda: next((a for a in room.rest.alarms() if a["id"] == alarm_id and
                                           not a["is_active"]), None), 10, "cleared")
        self.assertEqual(cleared["state"], "normal")
        for words in (["status"], ["points"], ["alarms"], ["agents"]):
            done = room.command(*words, "--json")
            self.assertEqual(done.returncode, 0, f"{words}: {done.stdout}{done.stderr}")
            json.loads(done.stdout)

    def check_entrance(self, room: Room) -> None:
        tls = ssl.create_default_context(cafile=str(room.authority.ca_file))
        base = f"https://localhost:{room.web_port}"
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{base}/api/v1/points", context=tls, timeout=5)
        self.assertEqual(refused.exception.code, 401)
        self.assertEqual(refused.exception.headers.get_content_type(), "application/problem+json")
        refused.exception.close()
        with urllib.request.urlopen(f"{base}/", context=tls, timeout=5) as page:
            self.assertIn("zh", page.read().decode())
        login = json.dumps({"name": "admin", "password": room.password}).encode()
        with urllib.request.urlopen(urllib.request.Request(
                f"{base}/api/v1/session", data=login, headers={"Content-Type": "application/json"}),
                context=tls, timeout=10) as reply:
            cookie = reply.headers["Set-Cookie"]
        for attribute in ("HttpOnly", "Secure", "SameSite=Strict"):
            self.assertIn(attribute, cookie)


if __name__ == "__main__":
    main()
