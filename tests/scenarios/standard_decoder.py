# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Stock tools read our payloads: mosquitto_sub for the transport, protoc --decode for the content."""

from __future__ import annotations

import subprocess

from story import REPOSITORY, Plan, Room, Story, connection, main, program, wait_until
from rig.room import gateway_device

TIMEOUT_S = 90
TAILS = ("NBIRTH/room1", "DBIRTH/room1/th1", "DDATA/room1/th1")
SCHEMA = REPOSITORY / "proto" / "messages" / "sparkplug_b.proto"


def devices(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1)]


class StandardDecoder(Story):
    def test_MosquittoSubAndProtocReadWhatAnAgentPublishes(self) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, mail=False)) as room:
            room.start_simulator()
            room.broker.start()
            room.start_aggregator()
            observer = room.observe()
            identity = room.authority.client("observer")
            node, births, data = (self.subscribe(room, identity, tail, f"payload{n}")
                                  for n, tail in enumerate(TAILS))
            wait_until(lambda: all(f" spBv1.0/hq/{tail}\n" in room.broker.process.log() for tail in TAILS), 5,
                       "the subscribers")
            room.start_agent()

            birth = self.decode(node)
            for word in ('name: "bdSeq"', 'name: "Node Control/Rebirth"', 'name: "Node Control/Journal Ack"',
                         'name: "Journal/Head"', "seq: 0"):
                self.assertIn(word, birth)
            device = self.decode(births)
            for word in ('name: "ambient.temperature"', 'keys: "Quality"', 'keys: "engUnit"',
                         'string_value: "celsius"', 'name: "Properties/Model"'):
                self.assertIn(word, device)
            readings = self.decode(data)
            self.assertIn("double_value: 2", readings)
            self.assertIn("[org.eclipse.tahu.protobuf.journal]", readings)
            self.assertGreater(len(observer.messages()), 0)

    @staticmethod
    def subscribe(room: Room, identity, tail: str, name: str) -> subprocess.Popen[bytes]:  # type: ignore[no-untyped-def]
        with (room.logs / f"{name}.payload").open("wb") as output:
            process = subprocess.Popen(
                [program("setpriv"), "--pdeathsig", "KILL", program("mosquitto_sub"),
                 *connection(room.broker.port, room.authority.ca_file, identity), "-C", "1", "-N", "-W", "40",
                 "-t", f"spBv1.0/hq/{tail}"], stdout=output)
        process.payload_path = room.logs / f"{name}.payload"  # type: ignore[attr-defined]
        return process

    def decode(self, process: subprocess.Popen[bytes]) -> str:
        self.assertEqual(process.wait(timeout=45), 0, "nothing was published")
        payload = process.payload_path.read_bytes()  # type: ignore[attr-defined]
        done = subprocess.run([program("protoc"), f"--proto_path={SCHEMA.parent}",
                               "--decode=org.eclipse.tahu.protobuf.Payload", SCHEMA.name],
                              input=payload, capture_output=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()


if __name__ == "__main__":
    main()
