# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Who is who on the broker: a certificate speaks for its own name only, and without one nobody speaks."""

from __future__ import annotations

from story import Plan, Room, Story, connection, main, program, run, stays_true, wait_until
from rig import settings
from rig.room import binary, gateway_device

TIMEOUT_S = 90
LABELS = "trust"


def devices(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1)]


class Identities(Story):
    def setUp(self) -> None:
        self.room = self.enterContext(self.new_room(Plan(devices=devices, snmp=False, mail=False)))

    def test_AnAgentWithAnotherNameCannotPublishAsSomeoneElse(self) -> None:
        room = self.room
        room.start()
        room.wait_until_good("th1", "ambient.temperature")
        observer = room.observe()

        # Our own agent with the right settings and somebody else's certificate.
        impostor_folder = room.folder / "impostor"
        impostor_folder.mkdir()
        (impostor_folder / "agent.toml").write_text(settings.agent_text(
            "hq", "room7", "冒名", settings.BrokerSettings(room.broker.port, room.authority.ca_file,
                                                        room.authority.client("room2")),
            devices(room.addresses), {}, {}))
        impostor = room.processes.spawn("impostor", [binary("watchroom-agent"), "run",
                                                     impostor_folder / "agent.toml"])
        wait_until(lambda: "'room2'" in room.broker.process.log(), 15, "the impostor to connect")
        self.assertTrue(stays_true(lambda: not any("room7" in m.topic for m in observer.messages()), 4.0))
        self.assertNotIn("hq/room7", room.rest.agents())
        impostor.stop()

        # The same with a stock client, which is told so under MQTT 5.
        stranger = room.authority.client("room2")
        for topic in ("spBv1.0/hq/NBIRTH/room1", "spBv1.0/hq/DDATA/room1/th1", "spBv1.0/hq/NCMD/room1",
                      "spBv1.0/STATE/watchroom", "$share/x/y"):
            done = run([program("mosquitto_pub"), *connection(room.broker.port, room.authority.ca_file, stranger),
                        "-V", "5", "-q", "1", "-t", topic, "-m", "x"])
            self.assertRegex(done.stdout + done.stderr, r"(?i)not authori[sz]ed|invalid", topic)

    def test_AClientWithoutACertificateIsRefused(self) -> None:
        room = self.room
        room.broker.start()
        for more in ([], ["-u", "room1"], ["-u", "watchroom", "-P", "watchroom"]):
            done = run([program("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(room.broker.port), "--cafile",
                        room.authority.ca_file, "-t", "spBv1.0/hq/NBIRTH/room1", "-m", "x", *more])
            self.assertNotEqual(done.returncode, 0, "accepted without a certificate")
        own = run([program("mosquitto_pub"), *connection(room.broker.port, room.authority.ca_file,
                                                         room.authority.client("room1")),
                   "-V", "5", "-q", "1", "-t", "spBv1.0/hq/NBIRTH/room1", "-m", "x"])
        self.assertEqual((own.returncode, own.stderr), (0, ""))

    def test_TheAgentRefusesABrokerThatItsAuthorityDidNotSign(self) -> None:
        room = self.room
        room.start_simulator()
        room.broker.start()
        from rig.certificates import Authority

        path = room.write_agent_settings()
        strangers = Authority(room.folder / "strangers")
        path.write_text(path.read_text().replace(str(room.authority.ca_file), str(strangers.ca_file)))
        agent = room.processes.spawn("agent", [binary("watchroom-agent"), "run", path])
        wait_until(lambda: "New connection" in room.broker.process.log(), 15, "an attempt to connect")
        self.assertTrue(stays_true(lambda: "as room1" not in room.broker.process.log(), 3.0))
        agent.require_running()


if __name__ == "__main__":
    main()
