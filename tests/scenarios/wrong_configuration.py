# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Wrong settings: every error at once, each with file, line and what was expected; nothing starts."""

from __future__ import annotations

from pathlib import Path

from story import Story, main, run
from rig.certificates import Authority
from rig.processes import free_port, port_is_open
from rig.room import binary

TIMEOUT_S = 60

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


class WrongConfiguration(Story):
    def setUp(self) -> None:
        self.folder = self.new_folder()
        authority = Authority(self.folder)
        authority.client("room1")
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


if __name__ == "__main__":
    main()
