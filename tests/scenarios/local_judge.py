# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The room defends itself: leak closes the valve, smoke sounds the siren, with everything dead but the agent; and
what becomes of its outputs when the agent dies, loses the broker, or somebody inhibits it."""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
from pathlib import Path

from story import REPOSITORY, Plan, Story, main, program, run, stays_true, wait_until  # isort: skip
sys.path.insert(0, str(REPOSITORY / "tests" / "peers"))
from modbus_client import Unit  # noqa: E402
from rig import settings  # noqa: E402
from rig.processes import Process, free_port  # noqa: E402
from rig.room import binary  # noqa: E402

TIMEOUT_S = 300
LABELS = "trust"

HEAD = """schema = 1
maker = "Watchroom"
model = "test"
bus = "modbus"
source = "made for this test"
confidence = "measured"
"""
LEAK, SMOKE, RUNTIME, KEY = range(4)
SENSORS = HEAD + """
[[point]]
name = "leak[1].state"
unit = "state"
register = { table = "holding", address = 0, type = "u16" }
states = { 0 = { zh = "正常", en = "dry" }, 1 = { zh = "有水", en = "wet" } }
[[point]]
name = "smoke[1].state"
unit = "state"
register = { table = "holding", address = 1, type = "u16" }
states = { 0 = { zh = "正常", en = "normal" }, 1 = { zh = "烟雾", en = "smoke" } }
[[point]]
name = "battery.runtime"
unit = "minute"
register = { table = "holding", address = 2, type = "u16" }
[[point]]
name = "contact[1].state"
unit = "state"
register = { table = "holding", address = 3, type = "u16" }
states = { 0 = { zh = "断开", en = "open" }, 1 = { zh = "闭合", en = "closed" } }
"""
SIREN, BEACON, VALVE, LAMP = range(4)
COILS = {"siren[1].state": SIREN, "relay[1].state": BEACON, "valve[1].state": VALVE, "relay[2].state": LAMP}
RELAYS = HEAD + "".join(f"""
[[point]]
name = "{point}"
unit = "state"
writable = true
register = {{ table = "coil", address = {coil} }}
states = {{ 0 = {{ zh = "断开", en = "off" }}, 1 = {{ zh = "吸合", en = "on" }} }}
""" for point, coil in COILS.items())

REACTIONS = """
[[reaction]]
name = "leak-valve"
point = "leak.state"
kind = "state"
raise_when = ["wet"]
outputs = ["valve"]
[[reaction]]
name = "smoke-siren"
point = "smoke.state"
kind = "state"
raise_when = ["smoke"]
off_delay_s = 1
outputs = ["siren", "beacon"]
[[reaction]]
name = "ups-lamp"
point = "battery.runtime"
kind = "low_limit"
unit = "minute"
raise_below = 10
clear_above = 15
on_delay_s = 1
outputs = ["lamp"]
"""


def output(name: str, point: str, **more: settings.Setting) -> str:
    keys: dict[str, settings.Setting] = {
        "name": name, "device": "relays", "point": point, "at_start": "off", "on_agent_death": "keep",
        "on_link_loss": "keep"}
    return settings.table("[output]", keys | more)


def outputs(**changed: dict[str, settings.Setting]) -> str:
    """On is closed, for the valve: its coil holds it open."""
    whole: dict[str, dict[str, settings.Setting]] = {
        "siren": {}, "beacon": {}, "lamp": {}, "valve": {"on_is": "off", "off_is": "on", "at_start": "keep"}}
    points = dict(siren="siren[1].state", beacon="relay[1].state", valve="valve[1].state", lamp="relay[2].state")
    return "".join(output(name, points[name], **(keys | changed.get(name, {}))) for name, keys in whole.items())


class LocalJudge(Story):
    def setUp(self) -> None:
        self.ports = {name: free_port() for name in ("sensors", "relays")}
        self.room = self.enterContext(self.new_room(Plan(devices=self.devices, snmp=False, mail=False)))
        (self.room.folder / "sensors.toml").write_text(SENSORS)
        (self.room.folder / "relays.toml").write_text(RELAYS)
        self.peers = {name: self.peer(name) for name in self.ports}
        self.sensors, self.relays = (Unit(self.ports[name]) for name in ("sensors", "relays"))
        self.addCleanup(self.sensors.close)
        self.addCleanup(self.relays.close)
        self.sensors.set_register(RUNTIME, 40)
        self.relays.set_coil(VALVE, True)

    def devices(self, _: object) -> list[settings.Device]:
        return [settings.Device(name, name, str(self.room.folder / f"{name}.toml"),
                                f"modbus-tcp://127.0.0.1:{port}?unit=1", "core",
                                {"poll_interval_ms": 200, "reply_timeout_ms": 300})
                for name, port in self.ports.items()]

    def peer(self, name: str) -> Process:
        port = self.ports[name]
        return self.room.processes.spawn(
            name, ["/usr/bin/python3", "-B", REPOSITORY / "tests" / "peers" / "modbus_unit.py", "tcp",
                   str(port)]).wait_for_port(port)

    def write_settings(self, tables: str, **broker: str) -> Path:
        path = self.room.write_agent_settings(tables)
        text = path.read_text()
        for key, value in broker.items():
            text = text.replace('host = "127.0.0.1"', f'{key} = "{value}"')
        path.write_text(text)
        return path

    def start(self, path: Path) -> Process:
        self.room.agent = self.room.processes.spawn("agent", [binary("watchroom-agent"), "run", path])
        self.wait_until_working()
        return self.room.agent

    def wait_until_working(self) -> None:
        """The start has had its say: the siren was switched off once."""
        wait_until(lambda: "output siren is to be off" in self.room.agent.log(), 20, "the judge")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run([binary("watchroom-agent"), *words])

    def guardian(self) -> int | None:
        """Of our agent; it is no child of ours."""
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"guard" in words and str(self.room.agent_folder / "agent.toml").encode() in words:
                return int(entry.name)
        return None

    def test_LeakClosesTheValveAndSmokeSoundsTheSirenWithBrokerNamesAndDiskDead(self) -> None:
        room = self.room
        if run(["unshare", "--user", "--map-root-user", "--mount", "true"]).returncode != 0:
            self.skipTest("no user namespaces here: a small disk cannot be made")
        path = self.write_settings(outputs() + REACTIONS, host="broker.invalid")
        data = room.agent_folder / "data"
        data.mkdir()
        names = room.folder / "resolv.conf"
        names.write_text("nameserver 127.0.0.153\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            try:
                silent.bind(("127.0.0.153", 53))  # a name server that never answers
            except PermissionError:
                self.tell("port 53 may not be bound here: names are refused instead of waited for")
            room.agent = room.processes.spawn("agent", [
                "unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                'mount -t tmpfs -o size=6m tmpfs "$1" && mount --bind "$4" /etc/resolv.conf && exec "$2" run "$3"', "sh",
                data, binary("watchroom-agent"), path, names])
            self.wait_until_working()
            filler = Path(f"/proc/{room.agent.pid}/root{data}/filler")
            with filler.open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 65536)
                except OSError:
                    pass
            took: dict[str, list[float]] = {"leak": [], "smoke": []}
            for _ in range(10):
                self.sensors.set_register(LEAK, 1)
                took["leak"].append(self.relays.wait_for_coil(VALVE, False, 5))
                self.sensors.set_register(SMOKE, 1)
                took["smoke"].append(self.relays.wait_for_coil(SIREN, True, 5))
                self.relays.wait_for_coil(BEACON, True, 5)
                self.sensors.set_register(LEAK, 0)
                self.sensors.set_register(SMOKE, 0)
                self.relays.wait_for_coil(VALVE, True, 5)
                self.relays.wait_for_coil(SIREN, False, 5)
                self.relays.wait_for_coil(BEACON, False, 5)
        for what, times in took.items():
            self.tell(f"{what}: coil written {statistics.median(times) * 1000:.0f} ms after the register changed, at "
                      f"most {max(times) * 1000:.0f} ms; polled every 200 ms")
            self.assertLess(max(times), 1.0)

    def test_ALogThatNobodyReadsHoldsNothing(self) -> None:
        path = self.write_settings(outputs() + REACTIONS)
        reading, writing = os.pipe()
        agent = subprocess.Popen([program("setpriv"), "--pdeathsig", "KILL", binary("watchroom-agent"), "run", path],
                                 stderr=writing)
        self.addCleanup(agent.wait)
        self.addCleanup(agent.kill)
        told = b""
        while b"output siren is to be off" not in told:
            told += os.read(reading, 4096)
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"x" * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(writing, True)  # the flag is the agent's, too
        for _ in range(3):
            self.sensors.set_register(SMOKE, 1)
            self.relays.wait_for_coil(SIREN, True, 5)
            self.sensors.set_register(SMOKE, 0)
            self.relays.wait_for_coil(SIREN, False, 5)
        agent.kill()
        os.close(writing)
        os.close(reading)

    def test_ALowBatteryLightsTheLampAfterItsDelayAndSilenceChangesNothing(self) -> None:
        self.start(self.write_settings(outputs() + REACTIONS))
        self.sensors.set_register(RUNTIME, 8)
        self.assertGreater(self.relays.wait_for_coil(LAMP, True, 10), 0.9)
        self.peers["sensors"].stop()
        self.assertTrue(stays_true(lambda: self.relays.coil(LAMP), 3))
        self.sensors.close()
        self.peers["sensors"] = self.peer("sensors")
        self.sensors.set_register(RUNTIME, 12)  # it starts anew with 0, and is in the band now
        self.assertTrue(stays_true(lambda: self.relays.coil(LAMP), 2))
        self.sensors.set_register(RUNTIME, 16)
        self.relays.wait_for_coil(LAMP, False, 10)

    def test_AModuleThatStartsAnewIsSetAgain(self) -> None:
        agent = self.start(self.write_settings(outputs() + REACTIONS))
        self.sensors.set_register(SMOKE, 1)
        self.relays.wait_for_coil(SIREN, True, 5)
        self.relays.set_coil(SIREN, False)  # by somebody at the module
        again = self.relays.wait_for_coil(SIREN, True, 5)
        self.peers["relays"].stop()
        self.relays.close()
        wait_until(lambda: "output siren cannot be switched on" in agent.log(), 15, "a loud complaint")
        self.peers["relays"] = self.peer("relays")
        back = self.relays.wait_for_coil(SIREN, True, 10)
        self.tell(f"set again {again * 1000:.0f} ms after somebody switched it off, {back:.1f} s after the module was back")

    def test_KilledOutrightItsGuardianGivesTheDeclaredStates(self) -> None:
        path = self.write_settings(outputs(siren={"on_agent_death": "off"}, beacon={"on_agent_death": "on"},
                                           valve={"on_agent_death": "on"}) + REACTIONS)
        agent = self.start(path)
        self.sensors.set_register(SMOKE, 1)
        self.relays.wait_for_coil(SIREN, True, 5)
        guardian = wait_until(self.guardian, 10, "the guardian")
        rollup = Path(f"/proc/{guardian}/smaps_rollup").read_text()
        memory = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
        private = memory["Private_Clean"] + memory["Private_Dirty"]
        self.tell(f"the guardian takes {private} kB of its own, {memory['Pss']} kB with its share of what is shared, "
                  f"{memory['Rss']} kB resident")
        agent.signal(signal.SIGKILL)
        took = self.relays.wait_for_coil(SIREN, False, 10)
        self.relays.wait_for_coil(BEACON, True, 10)
        self.relays.wait_for_coil(VALVE, False, 10)
        self.tell(f"the declared states {took * 1000:.0f} ms after kill -9")
        wait_until(lambda: self.guardian() is None, 10, "the guardian's end")

    def test_AnOrderlyEndGivesTheDeclaredStatesToo(self) -> None:
        path = self.write_settings(outputs(beacon={"on_agent_death": "on"}) + REACTIONS)
        agent = self.start(path)
        os.killpg(agent.pid, signal.SIGTERM)  # as a terminal's Ctrl-C, to all of the group
        self.relays.wait_for_coil(BEACON, True, 15)
        wait_until(lambda: self.guardian() is None, 10, "the guardian's end")

    def test_ANewAgentHasTheLastWord(self) -> None:
        path = self.write_settings(outputs(siren={"on_agent_death": "on"}) + REACTIONS)
        agent = self.start(path)
        wait_until(self.guardian, 10, "the guardian")
        for _ in range(3):
            agent.kill()
            log = len(agent.log())
            agent.start()  # at once, as systemd would
            wait_until(lambda: "output siren is to be off" in agent.log()[log:], 20, "the new agent's start")
            self.relays.wait_for_coil(SIREN, False, 10)
            self.assertTrue(stays_true(lambda: not self.relays.coil(SIREN), 2))

    def test_SettingsReadAnewDoNotEndAnything(self) -> None:
        path = self.write_settings(outputs(beacon={"on_agent_death": "on"}) + REACTIONS)
        agent = self.start(path)
        self.sensors.set_register(SMOKE, 1)
        self.relays.wait_for_coil(SIREN, True, 5)
        self.sensors.set_register(LEAK, 1)
        self.relays.wait_for_coil(VALVE, False, 5)
        before = wait_until(self.guardian, 10, "the guardian")
        path.write_text(path.read_text().replace('outputs = ["siren", "beacon"]', 'outputs = ["siren", "lamp"]'))
        agent.signal(signal.SIGHUP)
        self.relays.wait_for_coil(LAMP, True, 10)
        self.relays.wait_for_coil(BEACON, False, 10)
        self.assertTrue(self.relays.coil(SIREN))
        self.assertFalse(self.relays.coil(VALVE))
        self.assertNotEqual(self.guardian(), before, "the new one knows the new settings")
        agent.signal(signal.SIGKILL)
        self.relays.wait_for_coil(BEACON, True, 10)

    def test_WithoutABrokerTheDeclaredStateComesAndGoes(self) -> None:
        self.room.broker.start()
        self.start(self.write_settings(
            outputs(lamp={"on_link_loss": "on", "link_loss_s": 2}, siren={"on_link_loss": "off", "link_loss_s": 1}) + REACTIONS))
        self.sensors.set_register(SMOKE, 1)
        self.relays.wait_for_coil(SIREN, True, 5)
        self.relays.wait_for_coil(LAMP, False, 20)
        self.room.broker.kill()
        took = self.relays.wait_for_coil(LAMP, True, 30)
        self.tell(f"link_loss_s = 2: the lamp is on {took:.1f} s after the broker was killed")
        self.assertTrue(self.relays.coil(SIREN), "a raised reaction counts more")
        self.room.broker.start()
        self.relays.wait_for_coil(LAMP, False, 30)

    def test_AnInhibitStopsOutputsIsAnAlarmAndEndsByItself(self) -> None:
        room = self.room
        room.broker.start()
        room.start_aggregator()
        path = self.write_settings(outputs() + REACTIONS)
        agent = self.start(path)
        room.wait_until_good("self", "inhibit.state", 30)
        self.sensors.set_register(SMOKE, 1)
        self.relays.wait_for_coil(SIREN, True, 5)
        done = self.command("inhibit", path, "--owner", "李工", "--for", "1h", "--reason", "检修管道")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.relays.wait_for_coil(SIREN, False, 5)
        room.wait_for_alarm("local-inhibit", "self", deadline_s=15)
        told = room.wait_for_point("self", "inhibit.text", lambda p: "李工" in str(p["value"]), 15, "the owner")
        self.assertIn("检修管道", told["value"])
        room.wait_for_point("self", "local_output[siren].state", lambda p: p["value"] == 3, 15, "inhibited")
        room.wait_for_point("self", "event.text", lambda p: p["quality"] == "good", 15, "an event")

        agent.kill()
        agent.start()
        wait_until(lambda: agent.log().count("reactions are inhibited by 李工") >= 2, 20, "the inhibit after a restart")
        self.assertTrue(stays_true(lambda: not self.relays.coil(SIREN), 2))
        ended = self.command("inhibit", path, "--owner", "王工", "--end")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.relays.wait_for_coil(SIREN, True, 5)
        room.wait_for_alarm("local-inhibit", "self", active=False, deadline_s=15)

        self.assertEqual(self.command("inhibit", path, "--owner", "李工", "--for", "3s", "--reason", "短").returncode, 0)
        self.relays.wait_for_coil(SIREN, False, 5)
        self.assertGreater(self.relays.wait_for_coil(SIREN, True, 10), 1)
        self.assertEqual(self.command("inhibit", path, "--owner", "李工", "--end").returncode, 1)
        for wrong in (["--for", "25h", "--reason", "x"], ["--for", "2", "--reason", "x"], ["--for", "2h"], []):
            self.assertEqual(self.command("inhibit", path, "--owner", "李工", *wrong).returncode, 2, wrong)

    def test_AKeySwitchInhibits(self) -> None:
        key = """
[[inhibit]]
name = "key"
device = "sensors"
point = "contact.state"
kind = "state"
raise_when = ["closed"]
"""
        agent = self.start(self.write_settings(outputs() + REACTIONS + key))
        self.sensors.set_register(KEY, 1)
        wait_until(lambda: "reactions are inhibited by key" in agent.log(), 10, "the key")
        self.sensors.set_register(SMOKE, 1)
        self.assertTrue(stays_true(lambda: not self.relays.coil(SIREN), 2))
        self.sensors.set_register(KEY, 0)
        self.relays.wait_for_coil(SIREN, True, 5)

    def test_ALatchedReactionSurvivesARestartAndIsReset(self) -> None:
        tables = outputs() + REACTIONS.replace("off_delay_s = 1\n", 'does = "until_reset"\n')
        path = self.write_settings(tables)
        agent = self.start(path)
        self.sensors.set_register(SMOKE, 1)
        self.relays.wait_for_coil(SIREN, True, 5)
        self.assertEqual(self.command("reset", path, "--owner", "li").returncode, 1)
        self.sensors.set_register(SMOKE, 0)
        self.assertTrue(stays_true(lambda: self.relays.coil(SIREN), 2))
        agent.kill()
        self.relays.set_coil(SIREN, False)
        agent.start()
        self.relays.wait_for_coil(SIREN, True, 15)
        wait_until(lambda: self.command("reset", path, "--owner", "li").returncode == 0, 10, "the reset")
        self.relays.wait_for_coil(SIREN, False, 5)

    def test_AnOutletIsSwitchedBySnmp(self) -> None:
        folder = self.room.folder / "snmpd"
        folder.mkdir()
        port = free_port(socket.SOCK_DGRAM)
        object_id = "1.3.6.1.4.1.99999.2.1.0"
        (folder / "snmpd.conf").write_text(f"agentaddress udp:127.0.0.1:{port}\nrwcommunity master 127.0.0.1\n"
                                           f"override -rw .{object_id} integer 1\n")
        self.room.processes.spawn("snmpd", [program("snmpd"), "-f", "-Lo", "-I", "-smux"], environment={
            "SNMPCONFPATH": str(folder), "SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""})
        (folder / "outlet.toml").write_text(HEAD.replace('"modbus"', '"snmp"') + f"""
[[point]]
name = "outlet[1].state"
unit = "state"
oid = "{object_id}"
writable = true
states = {{ 1 = {{ zh = "关", en = "off" }}, 2 = {{ zh = "开", en = "on" }} }}
""")
        community = folder / "community"
        community.write_text("master\n")
        community.chmod(0o600)
        device = settings.Device("pdu", "pdu", str(folder / "outlet.toml"), f"snmp://127.0.0.1:{port}", "core",
                                 {"poll_interval_ms": 500, "community_file": str(community)})
        fan = output("fan", "outlet[1].state", device="pdu", on_is="off", off_is="on", on_agent_death="on")
        agent = self.start(self.write_settings(device.text() + outputs() + fan
                                               + REACTIONS.replace('"beacon"]', '"beacon", "fan"]')))

        def outlet() -> str:
            return run([program("snmpget"), "-v2c", "-c", "master", "-Oqv", f"127.0.0.1:{port}", object_id]).stdout.strip()

        wait_until(lambda: outlet() == "2", 15, "the fan to run")
        self.sensors.set_register(SMOKE, 1)
        wait_until(lambda: outlet() == "1", 5, "the fan to stop")
        self.sensors.set_register(SMOKE, 0)
        wait_until(lambda: outlet() == "2", 10, "the fan to run again")
        agent.signal(signal.SIGKILL)
        wait_until(lambda: outlet() == "1", 10, "the guardian to stop the fan")
        url = f"snmp://127.0.0.1:{port}?community=master"
        by_hand = self.command("write", url, "outlet[1].state", "on", "--yes", "--profile", str(folder / "outlet.toml"))
        self.assertEqual((by_hand.returncode, outlet()), (0, "2"), by_hand.stderr)

    def test_AnOutputThatFailsIsAnAlarm(self) -> None:
        room = self.room
        room.broker.start()
        room.start_aggregator()
        self.start(self.write_settings(outputs() + REACTIONS))
        room.wait_for_point("self", "local_output[siren].state", lambda p: p["value"] == 0, 30, "off")
        self.peers["relays"].stop()
        self.sensors.set_register(SMOKE, 1)
        alarm = room.wait_for_alarm("local-output-failed", "self", deadline_s=30)
        self.assertEqual(alarm["severity"], "critical")
        self.relays.close()
        self.peers["relays"] = self.peer("relays")
        self.relays.wait_for_coil(SIREN, True, 10)
        room.wait_for_point("self", "local_output[siren].state", lambda p: p["value"] == 1, 30, "on")
        room.wait_for_point("self", "reaction[smoke-siren].state", lambda p: p["value"] == 2, 30, "raised")


if __name__ == "__main__":
    main()
