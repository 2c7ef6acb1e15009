# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The rig itself, seen by stock clients: a wrong simulator would make every other story worthless."""

from __future__ import annotations

import struct
import unittest

from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from story import Plan, Room, Story, main, program, run, wait_until
from simulated_room import physics

TIMEOUT_S = 60
UPS = "1.3.6.1.2.1.33.1"


class SimulatedRoom(Story):
    def setUp(self) -> None:
        self.room = self.enterContext(self.new_room(Plan(counter=True, simulator=("--noise", "0"))))
        self.room.start_simulator()

    def test_StockModbusClientsReadEveryUnit(self) -> None:
        addresses = self.room.addresses
        tcp = ModbusTcpClient("127.0.0.1", port=addresses["modbus_port"], timeout=2)
        self.assertTrue(tcp.connect())
        self.addCleanup(tcp.close)
        self.assertEqual(tcp.read_holding_registers(0, 2, slave=1).registers[1], 220)
        frequency = tcp.read_input_registers(0x46, 2, slave=3).registers
        self.assertEqual(struct.unpack(">f", struct.pack(">HH", *frequency))[0], 50.0)
        self.assertEqual(tcp.read_holding_registers(12003, 1, slave=4).registers, [100])
        self.assertEqual(tcp.read_discrete_inputs(0, 8, slave=6).bits, [False] * 8)
        counted = [tcp.read_holding_registers(0, 2, slave=9).registers[1] for _ in range(3)]
        self.assertEqual(counted, [1, 2, 3])
        logged = [int(line.split()[1]) for line in self.room.counter_log.read_text().splitlines()]
        self.assertEqual(logged, [1, 2, 3])
        self.assertEqual(tcp.read_holding_registers(500, 1, slave=1).exception_code, 2)

        line = ModbusSerialClient(addresses["line"], baudrate=9600, timeout=2)
        self.assertTrue(line.connect())
        self.addCleanup(line.close)
        self.room.order("leak on")
        for _ in range(3):
            self.assertEqual(line.read_input_registers(0, 3, slave=3).registers, [1, 12, 0])
        self.assertEqual(self.room.order("line")["requests"], 3)

    def test_StockSnmpClientsReadTheUpsOverVersions2And3(self) -> None:
        self.assertIn("INTEGER: 100", self.snmpget("-v2c", "-c", self.room.addresses["community"]))
        secure = ["-v3", "-l", "authPriv", "-u", self.room.addresses["snmp_user"], "-a", "SHA-256", "-x", "AES",
                  "-X", self.room.addresses["privacy_key"]]
        self.assertIn("INTEGER: 100", self.snmpget(*secure, "-A", self.room.addresses["auth_key"]))
        self.assertIn("Authentication failure", self.snmpget(*secure, "-A", "another-key"))
        self.room.order("snmp silence")
        self.assertIn("Timeout", self.snmpget("-v2c", "-c", self.room.addresses["community"], patience_s=0.5))

    def test_TheRoomHeatsUpWithoutMainsAndTheBatteryEmpties(self) -> None:
        self.room.order("mains off")
        before = self.room.order("get")["values"]
        wait_until(lambda: self.room.order("get temperature")["value"] > before["temperature"] + 0.05, 10, "heat")
        after = self.room.order("get")["values"]
        self.assertLess(after["battery_charge"], before["battery_charge"])
        self.assertLess(after["humidity"], before["humidity"], "warmer air holds the same water")
        self.assertGreater(after["gas_pressure"], before["gas_pressure"])

    def snmpget(self, *words: str, patience_s: float = 3.0) -> str:
        done = run([program("snmpget"), *words, "-t", str(patience_s), "-r", "0", "-On",
                    f"127.0.0.1:{self.room.addresses['snmp_port']}", f"{UPS}.2.4.0"],
                   environment={"SNMP_PERSISTENT_DIR": str(self.room.folder), "MIBS": ""})
        return str(done.stdout + done.stderr)


class Physics(unittest.TestCase):
    def test_CoolingHoldsTheSetPointAndItsLossDoesNot(self) -> None:
        room = physics.Room()
        for _ in range(600):
            room.step(1.0)
        self.assertAlmostEqual(room["temperature"], 22.0, delta=0.5)
        room.set("cooling", 0.0)
        for _ in range(120):
            room.step(1.0)
        self.assertAlmostEqual(room["temperature"], 22.0 + 27.0 * 120 / 400, delta=0.6)

    def test_AHeldQuantityIgnoresPhysicsUntilReleased(self) -> None:
        room = physics.Room()
        room.set("temperature", 35.0, hold=True)
        room.step(60.0)
        self.assertEqual(room["temperature"], 35.0)
        room.release("temperature")
        for _ in range(60):
            room.step(1.0)
        self.assertLess(room["temperature"], 28.0)


if __name__ == "__main__":
    main()
