# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Wrong settings: every error at once, each with file, line and what was expected; nothing starts."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from story import Story, main, run
from rig.certificates import Authority
from rig.processes import free_port, port_is_open
from rig.room import binary

TIMEOUT_S = 120
LABELS = "trust"

# (text of the line, words that its error must hold, in any case). Lines without words are right.
Lines = list[tuple[str, tuple[str, ...]]]

AGENT: Lines = [
    ('site = "hq"', ()),
    ('agent = "room/1"', ("agent",)),
    ('colour = "blue"', ("colour", "unknown")),
    ('data_dir = "data"', ()),
    ("[broker]", ()),
    ('host = "127.0.0.1"', ()),
    ("port = 70000", ("port",)),
    ('ca_file = "ca.pem"', ()),
    ('certificate_file = "nowhere.pem"', ("nowhere.pem",)),
    ('key_file = "room1.key"', ()),
    ("keepalive_s = 2", ("keepalive_s", "5")),
    ("[journal]", ()),
    ('commit_ms = "soon"', ("commit_ms",)),
    ("[[device]]", ()),
    ('id = "th1"', ()),
    ('profile = "no_such_profile"', ("no_such_profile",)),
    ('address = "modbus-tcp://127.0.0.1:1502?unit=1"', ()),
    ("[[device]]", ()),
    ('id = "th2"', ()),
    ('profile = "bad_unit.toml"', ()),
    ('address = "modbus-tcp://127.0.0.1:1502?unit=300"', ("unit", "300")),
    ("max_silence_s = 90", ("max_silence_s", "60")),
    ("[[device]]", ()),
    ('id = "th2"', ("th2",)),
    ('profile = "renke_rs_ws_n01"', ()),
    ('address = "telegraph://127.0.0.1"', ("telegraph",)),
    ('class = "vital"', ("vital",)),
]

PROFILE: Lines = [
    ("schema = 1", ()),
    ('maker = "X"', ()),
    ('model = "Y"', ()),
    ('bus = "modbus"', ()),
    ('source = "a manual"', ()),
    ('confidence = "certain"', ("confidence", "measured")),
    ("[[point]]", ()),
    ('name = "ambient.temperature"', ()),
    ('unit = "percent_rh"', ("unit", "celsius")),
    ('register = { table = "input", address = 0, type = "i16" }', ()),
    ("[[point]]", ()),
    ('name = "ambient.humidity"', ()),
    ('unit = "percent_rh"', ()),
    ('register = { table = "input", address = 70000, type = "u16" }', ("address", "65535")),
    ("[[point]]", ()),
    ('name = "ambient.happiness"', ("happiness",)),
    ('unit = "celsius"', ()),
    ('register = { table = "input", address = 3, type = "u16" }', ()),
]

AGGREGATOR: Lines = [
    ('host_id = "watchroom"', ()),
    ("verbose = true", ("verbose", "unknown")),
    ('data_dir = "data"', ()),
    ("[broker]", ()),
    ('host = "127.0.0.1"', ()),
    ("port = -1", ("port",)),
    ('ca_file = "ca.pem"', ()),
    ('certificate_file = "room1.pem"', ()),
    ('key_file = "gone.key"', ("gone.key",)),
    ("[store]", ()),
    ('commit_ms = "fast"', ("commit_ms",)),
    ("[web]", ()),
    ('listen = "127.0.0.1:WEB_PORT"', ()),
    ('certificate_file = "room1.pem"', ()),
    ('key_file = "room1.key"', ()),
    ("[email]", ()),
    ('server = "pigeon://loft"', ("pigeon",)),
    ('from = "a@room.example"', ()),
    ('to = ["b@room.example"]', ()),
    ("[alarms]", ()),
    ('rules_file = "rules.toml"', ()),
]

RULES: Lines = [
    ("[[rule]]", ()),
    ('id = "a"', ()),
    ('kind = "high_limit"', ()),
    ('point = "ambient.temperature"', ()),
    ('unit = "volt"', ("unit", "celsius")),
    ("raise_above = 28.0", ()),
    ("clear_below = 26.0", ()),
    ('severity = "terrible"', ("severity", "terrible")),
    ('title_zh = "热"', ()),
    ('title_en = "Hot"', ()),
    ("[[rule]]", ("title_zh", "missing")),
    ('id = "b"', ()),
    ('kind = "guess"', ("guess",)),
]


# The whole of it right: what is found then lies beside the settings.
RIGHT_AGENT = """site = "hq"
agent = "room1"
data_dir = "data"
[broker]
host = "127.0.0.1"
port = 8883
ca_file = "ca.pem"
certificate_file = "room1.pem"
key_file = "room1.key"
"""
RIGHT_AGGREGATOR = """data_dir = "data"
[broker]
host = "127.0.0.1"
ca_file = "ca.pem"
certificate_file = "room1.pem"
key_file = "room1.key"
[web]
certificate_file = "web.pem"
key_file = "web.key"
"""
RIGHT = {"watchroom-agent": ("agent.toml", RIGHT_AGENT), "watchroom-aggregator": ("aggregator.toml", RIGHT_AGGREGATOR)}


class WrongConfiguration(Story):
    def setUp(self) -> None:
        self.folder = self.new_folder()
        self.authority = Authority(self.folder)
        self.authority.client("room1")
        self.web_port = free_port()

    def write(self, name: str, lines: Lines) -> Path:
        path = self.folder / name
        path.write_text("\n".join(text for text, _ in lines).replace("WEB_PORT", str(self.web_port)) + "\n")
        return path

    def refused(self, program: str, path: Path, expected: list[tuple[str, Lines]]) -> None:
        for command in ("check", "run"):
            done = run([binary(program), command, path], deadline_s=20)
            output = done.stdout + done.stderr
            self.assertFalse(port_is_open(self.web_port), "something listens")
            with self.subTest(program=program, command=command):
                self.assertEqual(done.returncode, 2, output)
            for file_name, lines in expected:
                for number, (text, words) in enumerate(lines, start=1):
                    with self.subTest(program=program, command=command, line=f"{file_name}:{number}: {text}"):
                        found = [line for line in output.splitlines() if f"{file_name}:{number}:" in line]
                        if not words:
                            self.assertEqual(found, [], "a right line is blamed")
                            continue
                        self.assertTrue(found, f"no error for this line in:\n{output}")
                        self.assertTrue(any(all(word.lower() in line.lower() for word in words)
                                            for line in found), found)
        self.assertFalse((self.folder / "data").exists(), "something was started")

    def test_TheAgentNamesEveryErrorAndStartsNothing(self) -> None:
        self.write("bad_unit.toml", PROFILE)
        self.refused("watchroom-agent", self.write("agent.toml", AGENT),
                     [("agent.toml", AGENT), ("bad_unit.toml", PROFILE)])

    def test_TheAggregatorNamesEveryErrorAndStartsNothing(self) -> None:
        self.write("rules.toml", RULES)
        self.refused("watchroom-aggregator", self.write("aggregator.toml", AGGREGATOR),
                     [("aggregator.toml", AGGREGATOR), ("rules.toml", RULES)])

    def test_AMissingFileIsAnErrorToo(self) -> None:
        for program in ("watchroom-agent", "watchroom-aggregator"):
            done = run([binary(program), "check", self.folder / "missing.toml"])
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            self.assertIn("missing.toml", done.stdout + done.stderr)
            told = run([binary(program), "check", self.folder / "missing.toml", "--json"])
            self.assertEqual(told.returncode, 2)
            error = json.loads(told.stdout)["error"]
            self.assertEqual(error["code"], "invalid")
            self.assertIn("missing.toml", error["problems"][0]["file"])

    def short_lived(self, name: str, days: int) -> None:
        subprocess.run(["openssl", "req", "-x509", "-config", "req.cnf", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj", f"/CN={name}", "-CA", "ca.pem",
                        "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE", "-out", f"{name}.pem",
                        "-keyout", f"{name}.key"], cwd=self.folder, check=True, capture_output=True)

    def checked(self, program: str) -> tuple[int, list[dict[str, object]]]:
        """The exit code and what was found; nothing in the folder may have changed."""
        name, text = RIGHT[program]
        path = self.folder / name
        path.write_text(text)
        before = {one: one.stat().st_mtime_ns for one in self.folder.rglob("*")}
        done = run([binary(program), "check", path, "--json"], deadline_s=20)
        self.assertEqual({one: one.stat().st_mtime_ns for one in self.folder.rglob("*")}, before, "check changed it")
        told = json.loads(done.stdout)
        self.assertTrue(told["is_valid"])
        self.assertEqual(told["will_start"], done.returncode == 0, done.stdout)
        for one in told["findings"]:
            self.assertIn(str(one["text"]), done.stderr, "a person is told the same")
        return done.returncode, told["findings"]

    def test_WhatWillFailAtTheStartIsToldBeforeIt(self) -> None:
        self.authority.server("web")
        for program in RIGHT:
            with self.subTest(program=program):
                self.assertEqual(self.checked(program), (0, []))
        # A file where the folder should be.
        (self.folder / "data").write_text("x")
        for program in RIGHT:
            with self.subTest(program=program):
                code, found = self.checked(program)
                # An agent without a disk runs on in memory.
                expected = 0 if program == "watchroom-agent" else 1
                self.assertEqual((code, [one["field"] for one in found]), (expected, ["data_dir"]), found)
                self.assertRegex(str(found[0]["text"]), "不是文件夹.* / .*is no folder")
        started = run([binary("watchroom-aggregator"), "run", self.folder / "aggregator.toml"], deadline_s=20)
        self.assertEqual(started.returncode, 1, "it said that it would not start: " + started.stderr)
        (self.folder / "data").unlink()
        # The page's key is not looked at when settings are read.
        (self.folder / "web.key").write_bytes((self.folder / "room1.key").read_bytes())
        (self.folder / "web.key").chmod(0o600)
        code, found = self.checked("watchroom-aggregator")
        self.assertEqual((code, [one["field"] for one in found]), (1, ["web.key_file"]), found)
        self.assertRegex(str(found[0]["text"]), "不匹配.* / .*does not belong to")

    def test_WhatWillFailSoonIsAHint(self) -> None:
        self.authority.server("web")
        self.short_lived("room1", 20)
        (self.folder / "room1.key").chmod(0o644)
        for program in RIGHT:
            with self.subTest(program=program):
                code, found = self.checked(program)
                self.assertEqual((code, sorted(str(one["field"]) for one in found)),
                                 (0, ["broker.certificate_file", "broker.key_file"]), found)
                for one in found:
                    self.assertRegex(str(one["text"]), "0644|20 天.* / .*20 days")
        self.authority.client("room1")
        stranger = Authority(self.new_folder())
        (self.folder / "ca.pem").write_bytes(stranger.ca_file.read_bytes())
        for program in RIGHT:
            with self.subTest(program=program):
                code, found = self.checked(program)
                self.assertEqual((code, [one["field"] for one in found]), (0, ["broker.certificate_file"]), found)
                self.assertRegex(str(found[0]["text"]), "不是.*签发.* / .*was not signed by")

    def helps(self, command: list[str]) -> list[tuple[list[str], str]]:
        text = run([binary(command[0]), *command[1:], "--help"]).stdout
        commands = text.partition("Subcommands:")[2]
        below = [self.helps([*command, name]) for name in re.findall(r"^  ([a-z][a-z-]*) ", commands, re.M)]
        return [(command, text), *[one for more in below for one in more]]

    def test_TheThreeProgramsSpeakAlike(self) -> None:
        for program in ("watchroom", "watchroom-agent", "watchroom-aggregator"):
            version = run([binary(program), "--version"])
            self.assertRegex(version.stdout, rf"^{program} \d+\.\d+\.\d+\n$")
            self.assertEqual(run([binary(program), "dance"]).returncode, 2)
            all_of_it = self.helps([program])
            self.assertGreater(len(all_of_it), 8)
            for command, text in all_of_it:
                with self.subTest(command=" ".join(command)):
                    self.assertRegex(text, r"-h,--help +显示本帮助 / print this help")
                    self.assertIn("退出码 / Exit codes: 0", text)
                    self.assertNotRegex(text, "--output|--comment(?! TEXT +备注)")
                    self.assertRegex(text.split("Usage:")[0], r"[\u4e00-\u9fff](.|\n)*[A-Za-z]{3}", "both languages")
                    if "authority" in command[:-1] or command[-1] in ("check", "verify", "enrol", "inhibit", "reset"):
                        self.assertTrue("--json" in text or program == "watchroom")


if __name__ == "__main__":
    main()
