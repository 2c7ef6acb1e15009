# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""From the first start to a log that somebody has altered: the real programs, a stock TOTP generator of our own, and
what an auditor does with an export."""

from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import json
import sqlite3
import ssl
import struct
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from story import Plan, Room, Story, main, run, wait_until
from rig.room import ADMINISTRATOR, binary, leak_sensor

TIMEOUT_S = 240
LABELS = "trust"


def devices(addresses):  # type: ignore[no-untyped-def]
    return [leak_sensor(addresses)]


STEP_S = 30


def code_now(secret: str) -> str:
    return code_of(secret, int(time.time()) // STEP_S)


def code_of(secret: str, step: int) -> str:
    """RFC 6238, from the text of the standard and not from ours."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1_000_000:06}"


class Browser:
    """What a page does: a cookie, and JSON."""

    def __init__(self, room: Room) -> None:
        self.base = f"https://127.0.0.1:{room.web_port}/api/v1"
        self.tls = ssl.create_default_context(cafile=str(room.authority.ca_file))
        self.cookie = ""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        request = urllib.request.Request(self.base + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json", "Cookie": self.cookie})
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.tls) as reply:
                self.cookie = (reply.headers["Set-Cookie"] or self.cookie).split(";")[0]
                return reply.status, json.loads(reply.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


class PeopleAndAudit(Story):
    def watchroom(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return run([binary("watchroom"), *words])

    def verify(self, room: Room, *more: str) -> subprocess.CompletedProcess[str]:
        return run([binary("watchroom-aggregator"), "audit", "verify",
                    room.aggregator_folder / "aggregator.toml", *more])

    def test_TheFirstStartMakesOneAdministratorWhoMustSetAPasswordAndThenAllIsWrittenDown(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, mail=False)) as room:
            room.broker.start()
            room.start_aggregator()
            room.aggregator.stop()
            users = room.aggregator_folder / "users.toml"
            users.unlink()
            room.start_aggregator()
            first = Path(f"{users}.first-password")
            self.assertEqual(first.stat().st_mode & 0o777, 0o600)
            password = first.read_text().strip()
            self.assertIn(str(first), room.aggregator.log())
            self.assertNotIn(password, room.aggregator.log())

            browser = Browser(room)
            self.assertEqual(browser.ask("POST", "/session", {"name": "admin", "password": "wrong wrong"})[0], 401)
            status, who = browser.ask("POST", "/session", {"name": "admin", "password": password})
            self.assertEqual((status, who["must_change_password"]), (200, True))
            status, refusal = browser.ask("GET", "/points")
            self.assertEqual((status, refusal["type"]), (403, "urn:watchroom:problem:password_change_needed"))
            own = "a password of my own"
            self.assertEqual(browser.ask("PUT", "/session/password", {"old": password, "new": own})[0], 200)
            self.assertEqual(browser.ask("GET", "/points")[0], 200)
            self.assertFalse(first.exists())
            self.tell("first administrator: password changed, file gone")

            # One-time codes, with the authenticator above.
            totp = subprocess.Popen([binary("watchroom"), "user", "totp", "admin", "--users-file", users, "--lang",
                                     "en"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    text=True)
            assert totp.stdin is not None and totp.stdout is not None
            shown = ""
            while "otpauth://" not in shown:
                line = totp.stdout.readline()
                self.assertTrue(line, "the address never came")
                shown += line
            self.assertIn("█", shown)
            secret = shown.split("secret=")[1].split("&")[0]
            totp.communicate(code_now(secret) + "\n", timeout=20)
            self.assertEqual(totp.returncode, 0)
            log_in = {"name": "admin", "password": own}

            def needs_code() -> bool:
                return Browser(room).ask("POST", "/session", log_in)[1].get("type") == "urn:watchroom:problem:code_needed"
            wait_until(needs_code, 10, "the code to be asked for")
            self.assertEqual(browser.ask("POST", "/session", log_in | {"code": code_now(secret)})[0], 200)
            self.tell("one-time codes: asked for, and the stock generator's is taken")

            # A user over REST, and a limited token.
            status, made = browser.ask("POST", "/users", {"name": "南区", "role": "operator",
                                                          "domains": ["site:south"]})
            self.assertEqual((status, made["must_change_password"]), (201, True))

            done = self.watchroom("user", "token", "admin", "--name", "audit", "--action", "view_audit", "--days", "1",
                                  "--users-file", users, "--token-file", room.folder / "audit.token")
            self.assertEqual(done.returncode, 0, done.stderr)
            way = ("--url", f"https://127.0.0.1:{room.web_port}", "--ca-file", room.authority.ca_file, "--token-file",
                   room.folder / "audit.token", "--lang", "en")
            wait_until(lambda: self.watchroom("audit", "list", *way).returncode == 0, 10, "the token")
            listed = self.watchroom("audit", "list", *way).stdout
            for words in ("aggregator.start", "wrong name or password", "session.password", "user.add", "南区",
                          "one-time code", "token.add"):
                self.assertIn(words, listed)
            for hidden in (password, own, secret, made["password"]):
                self.assertNotIn(hidden, listed)
            self.assertEqual(self.watchroom("points", *way).returncode, 1, "the token's scope is the log alone")

            verified = json.loads(self.watchroom("audit", "verify", "--json", *way).stdout)
            self.assertTrue(verified["is_intact"], verified)
            head = verified["head"]["hash"]
            export = room.folder / "audit.jsonl"
            self.assertEqual(self.watchroom("audit", "export", "--out", export, *way).returncode, 0)
            self.play_auditor(export)
            room.aggregator.stop()
            self.assertIn("head of the audit log: entry", room.aggregator.log())
            self.play_thief(room, head)

    def play_auditor(self, export: Path) -> None:
        lines = export.read_text().splitlines()
        self.assertEqual(self.watchroom("audit", "verify", "--file", export).returncode, 0)
        altered = export.with_name("altered.jsonl")
        for change in (lambda all: [*all[:3], all[3].replace('"number":4', '"number":4 ', 1)
                                    .replace("admin", "Admin").replace("system", "System"), *all[4:]],
                       lambda all: all[:3] + all[4:], lambda all: [*all[:3], all[4], all[3], *all[5:]],
                       lambda all: [*all[:3], "nonsense", *all[4:]]):
            altered.write_text("\n".join(change(lines)) + "\n")
            done = self.watchroom("audit", "verify", "--file", altered, "--lang", "en")
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertRegex(done.stdout, r"entr(y|ies) [345]|after entry 3")
        # Anybody can do it, from the description alone.
        before = "0" * 64
        for line in lines:
            entry = json.loads(line)
            seconds, milliseconds = entry["at"][:-1].split(".")
            at = calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) * 1000
            fields = ["watchroom-audit-1", str(entry["number"]), str(at + int(milliseconds)), entry["who"],
                      entry["from"], entry["action"], entry["object"], entry["outcome"], entry["detail"],
                      entry["previous"], "end"]
            data = b"".join(struct.pack(">I", len(f.encode())) + f.encode() for f in fields)
            self.assertEqual(hashlib.sha256(data).hexdigest(), entry["hash"], entry)
            self.assertEqual(entry["previous"], before)
            before = entry["hash"]
        self.tell(f"export: {len(lines)} entries verified by an independent program")

    def play_thief(self, room: Room, head: str) -> None:
        self.assertEqual(self.verify(room, "--expect", head).returncode, 0)
        told = json.loads(self.verify(room, "--expect", head, "--json").stdout)
        self.assertTrue(told["is_intact"] and told["entries"] > 0, told)
        file = room.aggregator_folder / "data" / "audit.db"
        with sqlite3.connect(file) as log:
            with self.assertRaises(sqlite3.IntegrityError):
                log.execute("UPDATE entry SET who = 'nobody' WHERE number = 2")
            log.executescript("DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete;"
                              "UPDATE entry SET who = 'nobody' WHERE number = 2")
        log.close()
        done = self.verify(room)
        self.assertEqual(done.returncode, 1)
        self.assertIn("entry 2 was altered", done.stdout)
        with sqlite3.connect(file) as log:
            log.execute("DELETE FROM entry WHERE number > 3")
        log.close()
        self.assertIn("the log was cut", self.verify(room, "--expect", head).stdout)
        self.tell("altered and cut: found")

    def test_ALogThatCannotBeWrittenIsAnAlarmAndKeepsNobodyFromActing(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False)) as room:
            obstacle = room.aggregator_folder / "data" / "audit.db"
            obstacle.mkdir(parents=True)
            room.start()
            room.wait_until_good("leak1", "leak.state")
            room.order("leak on")
            leak = room.wait_for_alarm("leak", "leak1")
            room.rest.post(f"/alarms/{leak['id']}/acknowledge", {"comment": "on my way"})
            room.wait_for_alarm("audit-failing", deadline_s=30)
            obstacle.rmdir()
            wait_until(lambda: not (room.find_alarm("audit-failing") or {"is_active": True})["is_active"], 30,
                       "the alarm about the log to clear")
            room.aggregator.stop()
            self.assertEqual(self.verify(room).returncode, 0)
            with sqlite3.connect(obstacle) as log:
                actions = [row[0] for row in log.execute("SELECT action FROM entry ORDER BY number")]
            log.close()
            for action in ("aggregator.start", "alarm.raised", "alarm.acknowledge", "alarm.acknowledged",
                           "aggregator.stop"):
                self.assertIn(action, actions)
            self.tell(f"what waited in memory was written: {len(actions)} entries")

    def test_WhoTriesPasswordsIsAnAlarmThatSaysFromWhere(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, mail=False)) as room:
            room.broker.start()
            room.start_aggregator()
            guesser = Browser(room)

            def guess(count: int) -> set[int]:
                return {guesser.ask("POST", "/session", {"name": ADMINISTRATOR, "password": f"guess {number}"})[0]
                        for number in range(count)}
            self.assertEqual(guess(5), {401})
            self.assertIsNone(room.find_alarm("refused-log-ins"), "five times wrong is a person")
            self.assertLessEqual(guess(20), {401, 429})
            alarm = room.wait_for_alarm("refused-log-ins", deadline_s=30)
            for words in (ADMINISTRATOR, "127.0.0.1"):
                self.assertIn(words, alarm["text_en"])
                self.assertIn(words, alarm["text_zh"])
            self.tell(f"brute force: {alarm['text_en']}")

    def test_APersonTurnsOneTimeCodesOnAndOffAndTheAdministratorHelpsWhoLostTheTelephone(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, mail=False)) as room:
            room.broker.start()
            room.start_aggregator()
            users = room.aggregator_folder / "users.toml"
            boss = Browser(room)
            proof = {"name": ADMINISTRATOR, "password": room.password}
            self.assertEqual(boss.ask("POST", "/session", proof)[0], 200)
            status, made = boss.ask("POST", "/users", {"name": "韩梅", "role": "operator"})
            self.assertEqual(status, 201, made)
            person, own = Browser(room), "a password of my own"
            first = {"name": "韩梅", "password": made["password"]}
            self.assertEqual(person.ask("POST", "/session", first)[0], 200)
            status, refusal = person.ask("POST", "/session/totp")
            self.assertEqual((status, refusal["type"]), (403, "urn:watchroom:problem:password_change_needed"))
            self.assertEqual(person.ask("PUT", "/session/password", {"old": made["password"], "new": own})[0], 200)

            def shown() -> str:
                status, begun = person.ask("POST", "/session/totp")
                self.assertEqual(status, 200, begun)
                self.assertIn(f"secret={begun['secret']}&", begun["uri"])
                return str(begun["secret"])
            secret = shown()
            self.assertNotIn(secret, users.read_text(), "it waits in memory only")
            log_in = {"name": "韩梅", "password": own}
            self.assertEqual(Browser(room).ask("POST", "/session", log_in)[0], 200, "nothing is on yet")

            # Three codes, each of which counts once and for a step more on either side: of before, now and after.
            wait_until(lambda: time.time() % STEP_S < STEP_S / 2, STEP_S, "a step with time left")
            step = int(time.time()) // STEP_S
            before, now, after = (code_of(secret, step + drift) for drift in (-1, 0, 1))
            wrong = {"password": own, "code": "not it"}
            self.assertEqual(person.ask("PUT", "/session/totp", wrong)[1]["type"], "urn:watchroom:problem:wrong_code")
            self.assertNotIn(secret, users.read_text())
            status, who = person.ask("PUT", "/session/totp", {"password": own, "code": before})
            self.assertEqual((status, who.get("has_totp")), (200, True), who)
            self.assertEqual(person.ask("GET", "/points")[0], 200)
            self.assertEqual(Browser(room).ask("POST", "/session", log_in)[1]["type"],
                             "urn:watchroom:problem:code_needed")
            other = Browser(room)
            self.assertEqual(other.ask("POST", "/session", log_in | {"code": now})[0], 200)
            self.assertEqual(person.ask("DELETE", "/session/totp", {"password": own, "code": now})[0], 403, "used")
            status, who = person.ask("DELETE", "/session/totp", {"password": own, "code": after})
            self.assertEqual((status, who.get("has_totp")), (200, False), who)
            self.assertEqual(other.ask("GET", "/points")[0], 401, "sessions of before end")
            self.assertEqual(Browser(room).ask("POST", "/session", log_in)[0], 200)
            self.tell("one-time codes: turned on and off by the person alone")

            # The telephone is lost; the step after the next is awaited, for that code must be a new one.
            lost = shown()
            wait_until(lambda: int(time.time()) // STEP_S > step, 2 * STEP_S, "the step whose code is not used yet")
            status, who = person.ask("PUT", "/session/totp",
                                     {"password": own, "code": code_of(lost, int(time.time()) // STEP_S + 1)})
            self.assertEqual((status, who.get("has_totp")), (200, True), who)
            token = room.folder / "boss.token"
            done = self.watchroom("user", "token", ADMINISTRATOR, "--name", "boss", "--users-file", users,
                                  "--token-file", token)
            self.assertEqual(done.returncode, 0, done.stderr)
            way = ("--url", f"https://127.0.0.1:{room.web_port}", "--ca-file", room.authority.ca_file, "--token-file",
                   token, "--lang", "en")
            wait_until(lambda: self.watchroom("user", "list", *way).returncode == 0, 10, "the token")
            done = self.watchroom("user", "totp", "韩梅", "--remove", *way)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(person.ask("GET", "/points")[0], 401)
            self.assertEqual(Browser(room).ask("POST", "/session", log_in)[0], 200)
            listed = self.watchroom("audit", "list", *way).stdout
            for words in ("session.totp", "turned on", "turned off", "one-time codes off",
                          "the password is right, the one-time code is not"):
                self.assertIn(words, listed)
            for hidden in (secret, lost):
                self.assertNotIn(hidden, listed)
                self.assertNotIn(hidden, room.aggregator.log())
            self.tell("a lost telephone: the administrator ended the codes, and the log says so")

    def test_TheAdministratorOfTheRigStillLogsInAtOnce(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, mail=False)) as room:
            room.broker.start()
            room.start_aggregator()
            status, who = Browser(room).ask("POST", "/session", {"name": ADMINISTRATOR, "password": room.password})
            self.assertEqual((status, who["must_change_password"]), (200, False))


if __name__ == "__main__":
    main()
