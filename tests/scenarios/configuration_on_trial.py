# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A configuration from the centre with which the centre is not heard, or with which the agent dies again and again:
the agent gives it up by itself for the last good one, and the centre is told why."""

from __future__ import annotations

import signal

from story import Plan, Story, main, wait_until
from rig.broker_thief import BrokerThief
from rig.room import binary, gateway_device

TIMEOUT_S = 240
LABELS = "trust"

TRIAL_S = 10


def first_sensor(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1, poll_interval_ms=500)]


class ConfigurationOnTrial(Story):
    def begin(self, extra: str = "") -> None:
        """An agent that runs with a good configuration of the centre."""
        room = self.room = self.enterContext(
            self.new_room(Plan(devices=first_sensor, snmp=False, mail=False, enrolment={})))
        room.start_simulator()
        room.broker.start()
        room.start_aggregator()
        room.write_agent_settings(extra)
        room.enrol_agent()
        room.agent = room.processes.spawn(
            "agent", [binary("watchroom-agent"), "run", room.agent_folder / "agent.toml"])
        room.wait_until_good("th1", "ambient.temperature")
        self.thief = BrokerThief(room)
        path = room.folder / "good.toml"
        path.write_text(self.meter("进线电表"))
        done = room.command("config", "set", "hq/room1", path, "--lang", "en")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + room.agent.log()[-2000:])
        wait_until(lambda: self.state() == "from the centre", 30, "the good one, at the centre")
        self.good = self.number()

    def meter(self, name: str) -> str:
        return gateway_device(self.room.addresses, "meter1", name, "eastron_sdm630", 3, poll_interval_ms=500).text()

    def state(self) -> str:
        point = self.room.point("self", "configuration.state")
        return str(point["state"]) if point else ""

    def number(self) -> int:
        point = self.room.point("self", "configuration.number")
        return int(point["value"]) if point and point["value"] is not None else 0

    def give_one_that_brings_silence(self) -> int:
        """It reaches the agent, and from then on the centre is not heard. Its number."""
        room = self.room
        assert room.agent and room.aggregator
        before = len(self.thief.orders("configuration"))
        room.agent.signal(signal.SIGSTOP)
        given = room.rest.put("/agents/hq/room1/configuration",
                              {"text": self.meter("孤岛"), "comment": "with it the centre is not heard"})
        wait_until(lambda: len(self.thief.orders("configuration")) > before, 15, "the order on its way")
        room.aggregator.signal(signal.SIGSTOP)
        room.agent.signal(signal.SIGCONT)
        number = int(given["number"])
        wait_until(lambda: f"configuration {number} of the centre is followed, on trial" in room.agent.log(), 15,
                   "the trial")
        return number

    def the_centre_is_told(self, number: int, why: str) -> None:
        room = self.room
        assert room.agent and room.aggregator
        room.aggregator.signal(signal.SIGCONT)
        wait_until(lambda: self.state() == "fallen back", 60, "the state at the centre")
        self.assertEqual(self.number(), self.good)
        alarm = room.wait_for_alarm("agent-configuration", "self", deadline_s=30)
        self.assertEqual(alarm["severity"], "minor")

        def shown() -> str:
            return str(room.command("config", "show", "hq/room1", "--lang", "en").stdout)

        wait_until(lambda: why in shown(), 20, f"the reason at the centre ({why}); it is:\n{shown()}")
        self.assertIn(f"configuration {number}: did not prove itself", shown())
        self.assertIn(f"falls back to configuration {self.good}", shown())
        room.wait_for_point("meter1", "meter[L1].voltage", lambda point: point["quality"] == "good", 30, "read again")
        # It stays so: over a restart, and until the centre gives another one.
        room.agent.kill()
        room.start_agent()
        wait_until(lambda: self.state() == "fallen back" and self.number() == self.good, 30, "the same")
        done = room.command("config", "set", "hq/room1", room.folder / "good.toml", "--lang", "en")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wait_until(lambda: self.state() == "from the centre", 30, "the next one")

    def test_OneWithWhichTheCentreIsNotHeardIsGivenUpForTheLastGoodOne(self) -> None:
        self.begin(f"\n[configuration]\ntrial_s = {TRIAL_S}\n")
        number = self.give_one_that_brings_silence()
        why = f"with configuration {number} the centre was not heard for {TRIAL_S} s"
        assert self.room.agent
        agent = self.room.agent
        wait_until(lambda: why in agent.log(), TRIAL_S + 20, "the fall-back, while nobody speaks to the agent")
        self.the_centre_is_told(number, why)

    def test_OneWithWhichTheAgentDiesAgainAndAgainIsGivenUpAtTheFourthStart(self) -> None:
        self.begin()
        room = self.room
        assert room.agent
        number = self.give_one_that_brings_silence()
        for start in range(2, 5):
            before = room.agent.log().count("runs hq/room1")
            room.agent.kill()
            room.start_agent()
            wait_until(lambda: room.agent.log().count("runs hq/room1") > before, 20, f"start {start}")
        self.assertIn(f"configuration {number} was begun 3 times and never proved itself", room.agent.log())
        self.the_centre_is_told(number, f"configuration {number} of the centre was begun 3 times")


if __name__ == "__main__":
    main()
