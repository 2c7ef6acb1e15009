# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Devices, people and strangers that send what should be obeyed: on every way out it is text, and nothing is lost."""

from __future__ import annotations

import email
import email.policy
import http.client
import os
import shutil
import ssl
from pathlib import Path

from story import REPOSITORY, Decoder, Plan, Room, Story, connection, main, now_ms, program, run, wait_until
from rig.room import ADMINISTRATOR

TIMEOUT_S = 150
LABELS = "trust"
BUILD = Path(os.environ.get("WATCHROOM_BUILD_DIR", REPOSITORY / "build"))
CACHE = BUILD / "CMakeCache.txt"
PLAYWRIGHT = BUILD / "aggregator" / "web" / "ui" / "page" / "node_modules" / "playwright-core" / "index.mjs"

SCRIPT = "<script>alert(1)</script>"
EVIL = f"{SCRIPT}'; DROP TABLE alarm; --\u202egnp.\x1b[2J\x1b]0;owned\x07\x9b31m\r\n告警已恢复"
# What a terminal or a reading eye would obey, beyond line ends of our own.
OBEYED = [chr(c) for c in (*range(0x00, 0x0a), *range(0x0b, 0x20), *range(0x7f, 0xa0))] + ["\u202e", "\u2066", "\u200f"]


class HostileTexts(Story):
    def publish(self, room: Room, topic: str, payload: bytes) -> None:
        file = room.folder / "payload"
        file.write_bytes(payload)
        done = run([program("mosquitto_pub"),
                    *connection(room.broker.port, room.authority.ca_file, room.authority.client("lab7")), "-q", "1",
                    "-t", topic, "-f", file])
        self.assertEqual(done.returncode, 0, done.stderr)

    def be_born(self, room: Room) -> None:
        decoder = Decoder(room.folder / "schema")

        def add(payload, name, value):  # type: ignore[no-untyped-def]
            metric = payload.metrics.add(name=name, timestamp=now_ms())
            if isinstance(value, str):
                metric.datatype, metric.string_value = 12, value
            else:
                metric.datatype, metric.long_value = 4, value

        node, device = decoder.new(), decoder.new()
        for seq, payload in enumerate((node, device)):
            payload.timestamp, payload.seq = now_ms(), seq
        add(node, "bdSeq", 0)
        add(node, "Properties/Name", EVIL)
        add(device, "Properties/Name", EVIL)
        add(device, "Properties/Hardware Make", EVIL)
        add(device, "leak.state", 1)
        add(device, EVIL, 7)
        self.publish(room, "spBv1.0/campus/NBIRTH/lab7", node.SerializeToString())
        self.publish(room, "spBv1.0/campus/DBIRTH/lab7/x1", device.SerializeToString())

    def check_harmless(self, text: str, where: str) -> None:
        found = [hex(ord(c)) for c in OBEYED if c in text]
        self.assertEqual(found, [], f"{where} lets through {found}")

    def test_WhatADeviceCallsItselfIsTextOnEveryWayOut(self) -> None:
        with self.new_room(Plan(devices=lambda _: [], snmp=False)) as room:
            room.broker.start()
            room.start_mail_sink()
            room.start_aggregator()
            self.be_born(room)
            alarm = wait_until(lambda: room.find_alarm("leak", "x1"), 20, "the alarm of the hostile device")
            self.assertEqual(alarm["device_name"], EVIL, "nothing of the name is lost")

            comment = EVIL + "\u2066x"
            answered = room.rest.post(f"/alarms/{alarm['id']}/acknowledge", {"comment": comment})
            self.assertEqual(answered["comment"], comment)
            stored = room.store.query("SELECT device_name, comment FROM alarm WHERE device = 'x1'")
            self.assertEqual(stored, [(EVIL, comment)])
            self.tell("store and REST: every character is there, and the table is too")

            for words in (("points",), ("alarms",), ("agents",), ("audit", "list"), ("points", "--json"),
                          ("alarms", "--json"), ("agents", "--json"), ("audit", "list", "--json"),
                          ("audit", "export")):
                done = room.command(*words)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.check_harmless(done.stdout + done.stderr, "watchroom " + " ".join(words))
                if words != ("alarms",):  # its table has no column for it
                    self.assertIn("DROP TABLE alarm", done.stdout, words)
            self.tell("command line: no character that a terminal would obey")

            mail = wait_until(lambda: room.mail_sink.accepted(), 20, "the mail")[0]
            message = email.message_from_bytes(mail.file.read_bytes(), policy=email.policy.default)
            body = message.get_content()
            self.check_harmless(message["Subject"], "the mail's subject")
            self.check_harmless(body, "the mail")
            self.assertIn("DROP TABLE alarm", body)
            self.assertFalse([line for line in body.splitlines() if line.startswith("告警已恢复")], body)
            self.assertEqual([a.addr_spec for a in message["To"].addresses], ["duty@room.example"])
            self.tell("mail: no line and no header of the device's own")

            log = room.aggregator.log()
            self.assertEqual([c for c in OBEYED if c in log], [])
            self.assertFalse([line for line in log.splitlines() if line and not line.startswith((" ", "20"))], log)

            # Nonsense beside it is counted, and nothing stops.
            for payload in (b"\xff" * 100_000, b"", b"\x0a\xff\xff\xff\xff\x0f"):
                self.publish(room, "spBv1.0/campus/DDATA/lab7/x1", payload)
            wait_until(lambda: room.rest.agents()["campus/lab7"]["counters"]["decode_errors"] >= 2, 10, "errors")
            self.assertTrue(room.rest.points(device="x1"))
            self.look_in_a_browser(room)

    def look_in_a_browser(self, room: Room) -> None:
        if CACHE.exists() and "WATCHROOM_PAGE:BOOL=OFF" in CACHE.read_text():
            return
        node = shutil.which("node")
        assert node is not None
        browser = room.processes.spawn("browser", [
            node, REPOSITORY / "tests" / "peers" / "browser" / "hostile.mjs", PLAYWRIGHT,
            f"https://localhost:{room.web_port}/", ADMINISTRATOR, room.password, SCRIPT],
            environment={"TMPDIR": str(room.folder)})
        wait_until(lambda: "shown" in browser.log() or not browser.is_running(), 60, "the page")
        self.assertEqual(browser.log().splitlines(), ["shown"])
        self.tell("page: shown as text, no dialog, no element")

    def test_OversizedAndMalformedRequestsAreRefusedWithAReasonAndHarmNobody(self) -> None:
        with self.new_room(Plan(devices=lambda _: [], snmp=False, mail=False)) as room:
            room.broker.start()
            room.start_aggregator()
            tls = ssl.create_default_context(cafile=str(room.authority.ca_file))
            token = (room.aggregator_folder / "token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

            def status(method: str, path: str, body: bytes | None = None, **more: str) -> int:
                server = http.client.HTTPSConnection("127.0.0.1", room.web_port, timeout=20, context=tls)
                try:
                    server.request(method, path, body=body, headers=headers | more)
                    reply = server.getresponse()
                    text = reply.read().decode()
                finally:
                    server.close()
                self.assertIn("urn:watchroom:problem:", text, f"{method} {path[:60]}")
                return reply.status

            acknowledge = "/api/v1/alarms/1/acknowledge"
            for wanted, asked in (
                    (413, ("POST", acknowledge, b'{"comment":"' + b"x" * 100_000 + b'"}')),
                    (400, ("POST", acknowledge, b'{"comment":"' + b"x" * 3_000 + b'"}')),
                    (400, ("POST", acknowledge, b"[" * 60_000)),
                    (400, ("POST", acknowledge, b'{"comment":"\xff\xfe"}')),
                    (400, ("POST", acknowledge, b'{"comment":1}')),
                    (404, ("POST", "/api/v1/alarms/99999999999999999999/acknowledge", b"{}")),
                    (404, ("POST", "/api/v1/alarms/'%3B%20DROP%20TABLE%20alarm/acknowledge", b"{}")),
                    (400, ("GET", "/api/v1/points?%00=x")), (400, ("GET", "/api/v1/points?q=%zz")),
                    (404, ("GET", "/api/v1/points/samples?id=" + "../" * 200)),
                    (404, ("GET", "/../../etc/passwd")), (405, ("PATCH", "/api/v1/points")),
                    (401, ("POST", "/api/v1/session", b'{"name":"' + b"n" * 300 + b'","password":"x"}')),
                    (400, ("POST", "/api/v1/session", b'{"name":{"$ne":1},"password":{"$ne":1}}')),
                    (400, ("GET", "/api/v1/audit?limit=-1"))):
                self.assertEqual(status(*asked), wanted, str(asked)[:120])
            self.assertEqual(status("GET", "/api/v1/points", None, Cookie="x" * 30_000), 431)
            self.assertEqual(room.rest.get("/status")["store"]["state"], "working")
            room.aggregator.require_running()


if __name__ == "__main__":
    main()
