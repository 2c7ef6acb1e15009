# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A stock Modbus server that says what it is (function 43) and holds a few registers and coils.

modbus_unit.py tcp PORT | rtu-tcp PORT | rtu DEVICE
"""

import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.framer.rtu_framer import ModbusRtuFramer
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

IDENTITY = ModbusDeviceIdentification(info_name={
    "VendorName": "Watchroom", "ProductCode": "TEST-43", "MajorMinorRevision": "1.0", "ModelName": "冷通道"})


async def serve(kind: str, where: str) -> None:
    unit = ModbusSlaveContext(hr=ModbusSequentialDataBlock(1, [0] * 64), ir=ModbusSequentialDataBlock(1, [231] * 64),
                              co=ModbusSequentialDataBlock(1, [False] * 64))
    context = ModbusServerContext(slaves={1: unit}, single=False)
    if kind == "rtu":
        await StartAsyncSerialServer(context, identity=IDENTITY, framer=ModbusRtuFramer, port=where, baudrate=9600)
        return
    framer = {"framer": ModbusRtuFramer} if kind == "rtu-tcp" else {}
    # One that is started again is there at once, like a device.
    await StartAsyncTcpServer(context, identity=IDENTITY, address=("127.0.0.1", int(where)), allow_reuse_address=True,
                              **framer)


asyncio.run(serve(sys.argv[1], sys.argv[2]))
