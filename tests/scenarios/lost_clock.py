# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A controller whose clock lost its battery starts in 1970, or in 2040: by that clock no certificate serves. It gets
in all the same, hears the time from the centre, and what it read before is put right. Its own certificate is renewed,
too."""

from __future__ import annotations

import datetime
import re
import urllib.error
import urllib.request
from pathlib import Path

from story import Plan, Story, main, wait_until
from rig.room import Room, binary, gateway_device

TIMEOUT_S = 300
LABELS = "trust"
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


def devices(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1, poll_interval_ms=1000)]


class LostClock(Story):
    def environment_of(self, moment: str) -> dict[str, str]:
        # Steady time stays what it is, as on a real controller.
        return {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME": f"@{moment}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def start_agent_at(self, room: Room, moment: str) -> None:
        environment = self.environment_of(moment)
        room.write_agent_settings()
        if room.house is not None:
            room.enrol_agent(environment)
        room.agent = room.processes.spawn("agent", [binary("watchroom-agent"), "run", room.agent_folder / "agent.toml"],
                                          environment=environment)

    def waiting_records(self, room: Room) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{room.metrics_port}/metrics", timeout=5) as reply:
                found = re.search(r"^watchroom_agent_journal_waiting_records (\d+)", reply.read().decode(), re.MULTILINE)
        except urllib.error.URLError:
            return 0
        return int(found[1]) if found else 0

    def has_all(self, room: Room) -> bool:
        journal = room.rest.agents()["hq/room1"]["journal"]
        return bool(journal["acknowledged"] >= 2)

    def gets_in(self, moment: str) -> Room:
        room = self.enterContext(self.new_room(Plan(devices=devices, snmp=False, mail=False)))
        room.start_simulator()
        room.start_aggregator()
        self.start_agent_at(room, moment)
        assert room.agent is not None
        # What it reads before there is a broker has the wrong time.
        wait_until(lambda: self.waiting_records(room) >= 2, 30, "records of the wrong time")
        room.broker.start()
        room.wait_until_good("th1", "ambient.temperature", 40)
        wait_until(lambda: "the time was taken from the centre" in room.agent.log(), 20, "the centre's time")
        wait_until(lambda: self.has_all(room), 20, "all records at the centre")
        return room

    def times_are_right(self, room: Room) -> None:
        samples = room.rest.get("/points/samples", id=room.address("th1", "ambient.temperature"),
                                since="1970-01-01T00:00:00Z", limit=10000)["samples"]
        self.assertGreater(len(samples), 0)
        now = datetime.datetime.now(datetime.timezone.utc)
        for sample in samples:
            taken = datetime.datetime.fromisoformat(sample["taken_at"].replace("Z", "+00:00"))
            self.assertLess(abs((now - taken).total_seconds()), 120, sample)

    def test_a_clock_that_starts_in_1970_keeps_nobody_out(self) -> None:
        self.times_are_right(self.gets_in("1970-01-02 00:00:00"))

    def test_a_clock_that_starts_in_2040_keeps_nobody_out(self) -> None:
        self.times_are_right(self.gets_in("2040-01-01 00:00:00"))

    def renews(self, moment: str) -> None:
        room = self.enterContext(self.new_room(Plan(devices=devices, snmp=False, mail=False,
                                                    enrolment={"certificate_life_min": 1})))
        room.start_simulator()
        room.start_aggregator()
        self.start_agent_at(room, moment)
        assert room.agent is not None
        # There is no broker, so nobody tells the time, and the certificate may have run out.
        wait_until(lambda: "the certificate was renewed" in room.agent.log(), 40, "a renewal without a clock")
        self.assertLessEqual(room.agent.log().count("the certificate was renewed"), 2)
        room.broker.start()
        room.wait_until_good("th1", "ambient.temperature", 40)
        wait_until(lambda: "the time was taken from the centre" in room.agent.log(), 20, "the centre's time")
        # And by the right time.
        count = room.agent.log().count("the certificate was renewed")
        wait_until(lambda: room.agent.log().count("the certificate was renewed") > count, 60, "the next renewal")
        room.wait_for_point("th1", "ambient.temperature", lambda p: p["quality"] == "good" and p["age_s"] < 2, 40,
                            "good with the renewed certificate")

    def test_a_certificate_is_renewed_by_a_clock_that_starts_in_1970(self) -> None:
        self.renews("1970-01-02 00:00:00")

    def test_a_certificate_is_renewed_by_a_clock_that_starts_in_2040(self) -> None:
        self.renews("2040-01-01 00:00:00")


if __name__ == "__main__":
    main()
