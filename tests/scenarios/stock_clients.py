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
ENGINE_BOOTS = "1.3.6.1.6.3.10.2.1.2.0"    # snmpEngineBoots, RFC 3411


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

        self.room.order("silence unit 2 gateway")
        self.assertEqual(tcp.read_holding_registers(0, 2, slave=2).exception_code, 0x0B)
        self.room.order("answer unit 2")
        self.assertEqual(len(tcp.read_holding_registers(0, 2, slave=2).registers), 2)

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
        boots = self.boots(secure)
        self.room.order("snmp silence")
        self.assertIn("Timeout", self.snmpget("-v2c", "-c", self.room.addresses["community"], patience_s=0.5))
        self.room.order("snmp answer")
        self.assertIn("INTEGER: 100", self.snmpget(*secure, "-A", self.room.addresses["auth_key"]))
        self.assertEqual(self.boots(secure), boots + 1)

    def test_AnEmptyBatterySilencesBothUpses(self) -> None:
        tcp = ModbusTcpClient("127.0.0.1", port=self.room.addresses["modbus_port"], timeout=1, retries=0)
        self.assertTrue(tcp.connect())
        self.addCleanup(tcp.close)
        community = ("-v2c", "-c", self.room.addresses["community"])
        self.room.order("mains off")
        self.room.order("battery_charge 0")
        wait_until(lambda: "Timeout" in self.snmpget(*community, patience_s=0.5), 10, "silence over SNMP")
        self.assertTrue(tcp.read_holding_registers(12003, 1, slave=4).isError())
        self.assertEqual(len(tcp.read_holding_registers(0, 2, slave=1).registers), 2, "the sensor hangs on no UPS")
        self.room.order("mains on")
        wait_until(lambda: "INTEGER" in self.snmpget(*community), 15, "the UPS over SNMP")
        self.assertEqual(len(tcp.read_holding_registers(12003, 1, slave=4).registers), 1)

    def test_TheRoomHeatsUpWithoutMainsAndTheBatteryEmpties(self) -> None:
        self.room.order("mains off")
        before = self.room.order("get")["values"]
        wait_until(lambda: self.room.order("get temperature")["value"] > before["temperature"] + 0.05, 10, "heat")
        after = self.room.order("get")["values"]
        self.assertLess(after["battery_charge"], before["battery_charge"])
        self.assertLess(after["humidity"], before["humidity"], "warmer air holds the same water")
        self.assertGreater(after["gas_pressure"], before["gas_pressure"])

    def boots(self, secure: list[str]) -> int:
        return int(self.snmpget(*secure, "-A", self.room.addresses["auth_key"], oid=ENGINE_BOOTS).split()[-1])

    def snmpget(self, *words: str, patience_s: float = 3.0, oid: str = f"{UPS}.2.4.0") -> str:
        done = run([program("snmpget"), *words, "-t", str(patience_s), "-r", "0", "-On",
                    f"127.0.0.1:{self.room.addresses['snmp_port']}", oid],
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

    def test_OneLongStepIsAsGoodAsManyShortOnes(self) -> None:
        slow, fast = physics.Room(), physics.Room()
        for room in (slow, fast):
            room.set("it_load", 90.0)
        for _ in range(600):
            slow.step(1.0)
        fast.step(600.0)
        for name in slow.names():
            self.assertAlmostEqual(slow[name], fast[name], msg=name)

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
