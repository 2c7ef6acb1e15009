# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Outputs from the centre: a relay over Modbus and an outlet over SNMP are ordered, read back, and left to themselves
again; what cannot be done is given up and told as it is; and nobody else's order, nor an old one, moves anything."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from typing import Any

from story import REPOSITORY, Plan, Story, main, program, run, stays_true, wait_until  # isort: skip
sys.path.insert(0, str(REPOSITORY / "tests" / "peers"))
from modbus_client import Unit  # noqa: E402
from rig import settings  # noqa: E402
from rig.broker_thief import BrokerThief  # noqa: E402
from rig.processes import Process, free_port  # noqa: E402
from rig.room import binary  # noqa: E402

TIMEOUT_S = 400
LABELS = "trust"

HEAD = """schema = 1
maker = "Watchroom"
model = "test"
bus = "{bus}"
source = "made for this test"
confidence = "measured"
"""
ON_OFF = 'states = {{ {off} = {{ zh = "断开", en = "off" }}, {on} = {{ zh = "吸合", en = "on" }} }}\n'
RELAYS = HEAD.format(bus="modbus") + """
[[point]]
name = "siren[1].state"
unit = "state"
writable = true
register = { table = "coil", address = 0 }
""" + ON_OFF.format(off=0, on=1)
OUTLET_OID = "1.3.6.1.4.1.99999.2.1.0"
OUTLETS = HEAD.format(bus="snmp") + f"""
[snmp]
recognised_by = ["1.3.6.1.4.1.99999"]
[[point]]
name = "outlet[1].state"
unit = "state"
writable = true
oid = "{OUTLET_OID}"
""" + ON_OFF.format(off=1, on=2)


def output(name: str, device: str, point: str, at_start: str, **more: settings.Setting) -> str:
    codes: dict[str, settings.Setting] = {"on_is": "on", "off_is": "off"}
    return settings.table("[output]", {
        "name": name, "device": device, "point": point, "at_start": at_start, "on_agent_death": "keep",
        "on_link_loss": "keep"} | codes | more)


class OrderedOutputs(Story):
    def setUp(self) -> None:
        self.modbus_port, self.snmp_port = free_port(), free_port(socket.SOCK_DGRAM)
        room = self.room = self.enterContext(
            self.new_room(Plan(devices=self.devices, snmp=False, mail=False, enrolment={})))
        (room.folder / "relays.toml").write_text(RELAYS)
        (room.folder / "outlets.toml").write_text(OUTLETS)
        self.relays = Unit(self.modbus_port)
        self.addCleanup(self.relays.close)
        self.unit = self.start_unit()
        self.start_snmpd()
        room.start_simulator()
        room.broker.start()
        room.start_aggregator()
        room.write_agent_settings(output("siren", "relays", "siren[1].state", "off")
                                  + output("outlet", "outlets", "outlet[1].state", "on"))
        community = room.agent_folder / "write.community"
        community.write_text("master\n")
        community.chmod(0o600)
        room.enrol_agent()
        room.agent = room.processes.spawn(
            "agent", [binary("watchroom-agent"), "run", room.agent_folder / "agent.toml"])
        wait_until(lambda: self.state_of("siren") == "off" and self.state_of("outlet") == "on", 30,
                   "both outputs at the centre")

    def devices(self, _: object) -> list[settings.Device]:
        folder = self.room.folder
        return [settings.Device("relays", "relays", str(folder / "relays.toml"),
                                f"modbus-tcp://127.0.0.1:{self.modbus_port}?unit=1", "core",
                                {"poll_interval_ms": 300, "reply_timeout_ms": 300}),
                settings.Device("outlets", "outlets", str(folder / "outlets.toml"),
                                f"snmp://127.0.0.1:{self.snmp_port}?version=2c", "core",
                                {"poll_interval_ms": 500, "reply_timeout_ms": 500,
                                 "community_file": str(self.room.agent_folder / "write.community")})]

    def start_unit(self) -> Process:
        return self.room.processes.spawn("relays", [
            "/usr/bin/python3", "-B", REPOSITORY / "tests" / "peers" / "modbus_unit.py", "tcp",
            str(self.modbus_port)]).wait_for_port(self.modbus_port)

    def start_snmpd(self) -> None:
        folder = self.room.folder / "snmpd"
        folder.mkdir()
        (folder / "snmpd.conf").write_text(
            f"agentaddress udp:127.0.0.1:{self.snmp_port}\nrwcommunity master 127.0.0.1\n"
            f"sysObjectID .1.3.6.1.4.1.99999.1\noverride -rw .{OUTLET_OID} integer 2\n")
        self.room.processes.spawn("snmpd", [
            "/usr/bin/env", f"SNMPCONFPATH={folder}", f"SNMP_PERSISTENT_DIR={folder / 'state'}", "MIBS=",
            "/usr/sbin/snmpd", "-f", "-Lf", folder / "log", "-I", "-smux"])

    def outlet(self) -> int:
        done = run([program("snmpget"), "-v2c", "-cmaster", "-Oqv", f"127.0.0.1:{self.snmp_port}", OUTLET_OID])
        return int(done.stdout) if done.returncode == 0 else 0

    def outputs(self) -> dict[str, Any]:
        return {one["output"]: one for one in self.room.rest.get("/outputs")["outputs"]}

    def state_of(self, name: str) -> str:
        found = self.outputs().get(name)
        return found["state"] if found and found["is_live"] else ""

    def progress_of(self, name: str) -> str:
        order = self.outputs()[name]["order"]
        return order["progress"] if order else ""

    def set(self, name: str, to: str, *more: str):  # type: ignore[no-untyped-def]
        return self.room.command("output", "set", f"hq/room1/{name}", to, "--reason", "演练", "--yes", "--lang", "en",
                                 *more)

    def test_AreOrderedReadBackAndLeftToThemselvesAgain(self) -> None:
        listed = self.room.command("output", "list", "--lang", "en")
        self.assertIn("hq/room1/siren", listed.stdout)

        done = self.room.command("output", "set", "hq/room1/siren", "on", "--reason", "drill")
        self.assertEqual(done.returncode, 2, "nobody has confirmed it, and there is no terminal to ask on")
        self.assertFalse(self.relays.coil(0))

        began = time.monotonic()
        done = self.set("siren", "on", "--for", "5s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.room.agent.log()[-2000:])
        self.assertTrue(self.relays.coil(0))
        self.tell(f"from the command to the coil read back at the centre: {time.monotonic() - began:.1f} s")
        for words in ("off → on, for 5 s", "done, and read back"):
            self.assertIn(words, done.stdout)
        self.relays.wait_for_coil(0, False, 10)
        wait_until(lambda: self.progress_of("siren") == "ended", 10, "the end of the order")

        done = self.set("outlet", "off", "--for", "600s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.room.agent.log()[-2000:])
        self.assertEqual(self.outlet(), 1)
        done = self.set("outlet", "automatic")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wait_until(lambda: self.outlet() == 2, 10, "the outlet as at the start")

        history = json.loads(self.room.command("output", "history", "hq/room1/outlet", "--json").stdout)["orders"]
        self.assertEqual([one["to"] for one in history], ["automatic", "off"])
        self.assertIn("took its place", history[1]["reason"])
        entries = self.room.rest.get("/audit", limit=1000)["entries"]
        ordered = [one for one in entries if one["action"] == "output.order"]
        self.assertEqual([one["outcome"] for one in ordered], ["done"] * 3)
        self.assertIn("演练", ordered[0]["detail"])
        self.assertGreaterEqual(len([one for one in entries if one["action"] == "output.outcome"]), 4)

    def test_WhatCannotBeDoneIsGivenUpAndToldAsItIs(self) -> None:
        # The relay module is dead: given up in time, and not done when it is back.
        self.unit.kill()
        done = self.set("siren", "on", "--within", "3")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("not done in its time", done.stdout)
        self.unit = self.start_unit()
        self.relays.close()
        wait_until(lambda: self.state_of("siren") == "off", 30, "the siren, read again")
        self.assertTrue(stays_true(lambda: not self.relays.coil(0), 3))

        # Somebody on the spot has inhibited the outputs.
        agent_toml = self.room.agent_folder / "agent.toml"
        done = run([binary("watchroom-agent"), "inhibit", agent_toml, "--owner", "li", "--for", "60s", "--reason",
                    "work"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = self.set("siren", "on")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("refused", done.stdout)
        wait_until(lambda: "inhibited by li" in self.outputs()["siren"]["order"]["reason"], 10, "the reason")
        done = run([binary("watchroom-agent"), "inhibit", agent_toml, "--owner", "li", "--end"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

        # The agent hangs: whether it was done is not known, and it is not done when it wakes too late.
        self.room.agent.signal(signal.SIGSTOP)
        done = self.set("siren", "on", "--within", "2")
        self.room.agent.signal(signal.SIGCONT)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("whether it was done is not known", done.stdout)
        wait_until(lambda: "and was good for 2 s" in self.room.agent.log(), 15, "the refusal of the late order")
        self.assertTrue(stays_true(lambda: not self.relays.coil(0), 2))

    def use(self, *outputs: str) -> None:
        """Other outputs, read anew."""
        agent = self.room.agent
        assert agent
        self.room.write_agent_settings("".join(outputs))
        before = agent.log().count("the settings were taken anew")
        agent.signal(signal.SIGHUP)
        wait_until(lambda: agent.log().count("the settings were taken anew") > before, 20, "the settings")

    def test_AnAgentThatDiesHoldsNoOrderAndSaysSo(self) -> None:
        agent = self.room.agent
        assert agent
        # Nothing says what the outlet is to be at a start: it is put back to what it was before the order.
        self.use(output("siren", "relays", "siren[1].state", "off"),
                 output("outlet", "outlets", "outlet[1].state", "keep"))
        self.assertEqual(self.outlet(), 2)
        wait_until(lambda: self.set("siren", "on", "--for", "600s").returncode == 0, 30, "the siren, ordered")
        wait_until(lambda: self.set("outlet", "off", "--for", "600s").returncode == 0, 30, "the outlet, ordered")
        self.assertTrue(self.relays.coil(0))
        self.assertEqual(self.outlet(), 1)

        agent.signal(signal.SIGKILL)  # not what it leaves behind, which gives outputs their last state
        wait_until(lambda: not agent.is_running(), 10, "its death")
        self.assertTrue(stays_true(lambda: self.relays.coil(0) and self.outlet() == 1, 3), 'on_agent_death = "keep"')
        self.room.start_agent()
        self.relays.wait_for_coil(0, False, 20)
        wait_until(lambda: self.outlet() == 2, 20, "the outlet as it was before the order")
        for name, state in (("siren", "off"), ("outlet", "on")):
            wait_until(lambda: self.progress_of(name) == "ended", 20, f"the end of the order for the {name}")
            self.assertIn("started anew", self.outputs()[name]["order"]["reason"])
            wait_until(lambda: self.state_of(name) in (state, "on_by_others"), 20, f"the {name}, live")

    def test_ALocalInhibitCountsMoreThanAnOrderThatHolds(self) -> None:
        agent_toml = self.room.agent_folder / "agent.toml"
        done = self.set("siren", "on", "--for", "600s")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = run([binary("watchroom-agent"), "inhibit", agent_toml, "--owner", "li", "--for", "600s", "--reason",
                    "work"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        took = self.relays.wait_for_coil(0, False, 10)
        self.tell(f"from the inhibit to the coil: {took * 1000:.0f} ms")
        wait_until(lambda: self.progress_of("siren") == "overruled", 10, "the order at the centre")
        self.room.wait_for_alarm("local-inhibit", "self", deadline_s=20)
        # Who inhibits ends it: the order still has its time.
        done = run([binary("watchroom-agent"), "inhibit", agent_toml, "--owner", "li", "--end"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.relays.wait_for_coil(0, True, 10)
        wait_until(lambda: self.progress_of("siren") == "done", 10, "the order, done again")

    def test_AnOrderHoldsWithoutABrokerUntilItsTimeIsOverThenTheDeclaredStateCounts(self) -> None:
        self.use(output("siren", "relays", "siren[1].state", "off", on_link_loss="on", link_loss_s=2),
                 output("outlet", "outlets", "outlet[1].state", "on", on_link_loss="off", link_loss_s=2))
        wait_until(lambda: self.set("siren", "off", "--for", "12s").returncode == 0, 30, "the siren, ordered")
        ordered = time.monotonic()
        assert self.room.broker.process
        self.room.broker.process.kill()
        wait_until(lambda: self.outlet() == 1, 10, "the outlet, which nobody has ordered, without a broker")
        self.assertLess(time.monotonic() - ordered, 10, "the order must still hold for what follows to mean anything")
        self.assertTrue(stays_true(lambda: not self.relays.coil(0), 2), "the siren, which is ordered off")
        self.relays.wait_for_coil(0, True, 20)
        self.assertGreater(time.monotonic() - ordered, 9, "as long as the order, from its arrival")

        self.room.broker.process.start()
        self.relays.wait_for_coil(0, False, 30)
        wait_until(lambda: self.outlet() == 2, 30, "the outlet with the broker back")
        wait_until(lambda: self.progress_of("siren") == "ended", 30, "the end of the order, told afterwards")

    def test_AnOldOrderMovesNothing(self) -> None:
        """Who has stolen the broker has every order that ever passed."""
        room = self.room
        thief = BrokerThief(room)
        self.assertEqual(self.set("siren", "on", "--for", "1h").returncode, 0)
        self.assertEqual(self.set("siren", "automatic").returncode, 0)
        self.relays.wait_for_coil(0, False, 10)
        orders = thief.orders("output")
        self.assertEqual(len(orders), 2)
        thief.publish(orders[0])
        wait_until(lambda: "was heard already" in room.agent.log(), 15, "the refusal")
        self.assertTrue(stays_true(lambda: not self.relays.coil(0), 2))


if __name__ == "__main__":
    main()
