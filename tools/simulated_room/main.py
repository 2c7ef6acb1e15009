# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""`tools/simulator`: `serve` runs a room until it is stopped, `control` gives it an order."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import sys
import time
from pathlib import Path

from rig.processes import free_port
from simulated_room import control, devices
from simulated_room.modbus import SerialLine, Units, serve_tcp
from simulated_room.physics import Room
from simulated_room.snmp_daemon import AUTH_KEY, COMMUNITY, PRIVACY_KEY, USER, SnmpDaemon

STEP_S = 0.1


async def _serve(options: argparse.Namespace) -> None:
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    room = Room(options.seed)
    room.set("noise", options.noise)
    gateway = Units(devices.gateway(room, options.counter_log))
    line_units = Units(devices.serial_line(room))
    line = SerialLine(line_units, folder / "line", options.baud, options.parity)
    modbus_port = options.modbus_port or free_port()
    snmp_port = options.snmp_port or free_port(socket.SOCK_DGRAM)
    control_socket = folder / "control"
    snmp = None if options.no_snmp else SnmpDaemon(folder / "snmp", snmp_port, control_socket)

    tcp_server = await serve_tcp(gateway, modbus_port)
    line.start()
    control_server = await control.Control(room, gateway, line_units, line, snmp).serve(control_socket)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    if snmp is not None:
        await snmp.follow(room.ups_is_on)
    addresses = {
        "modbus_port": modbus_port, "line": str(line.link), "baud": options.baud,
        "parity": options.parity, "snmp_port": snmp_port,
        "control": str(control_socket), "community": COMMUNITY, "snmp_user": USER,
        "auth_key": AUTH_KEY, "privacy_key": PRIVACY_KEY,
    }
    ready = folder / "ready.json.new"
    ready.write_text(json.dumps(addresses))
    ready.rename(folder / "ready.json")
    print(json.dumps(addresses), flush=True)
    try:
        await asyncio.gather(_run(room, options.speed, stopped), _power(room, snmp, stopped))
    finally:
        tcp_server.close()
        control_server.close()
        if snmp is not None:
            snmp.stop()


async def _run(room: Room, speed: float, stopped: asyncio.Event) -> None:
    before = time.monotonic()
    while not stopped.is_set():
        try:
            await asyncio.wait_for(stopped.wait(), STEP_S)
        except asyncio.TimeoutError:
            pass
        now = time.monotonic()
        room.step((now - before) * speed)
        before = now


async def _power(room: Room, snmp: SnmpDaemon | None, stopped: asyncio.Event) -> None:
    """UPS and rack PDU answer as long as the UPS has mains or battery."""
    while snmp is not None and not stopped.is_set():
        await snmp.follow(room.ups_is_on)
        await asyncio.sleep(STEP_S)


def send(control_socket: Path, command: str) -> dict[str, object]:
    """One command to a running room; the reply as it came."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(15.0)  # snmpd takes its time to start
        connection.connect(str(control_socket))
        connection.sendall(command.encode() + b"\n")
        with connection.makefile() as replies:
            return dict(json.loads(replies.readline()))


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/simulator", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog=control.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run a room until SIGTERM or Ctrl-C")
    serve.add_argument("--folder", type=Path, required=True,
                       help="gets the pty link, the control socket, snmpd's files, ready.json")
    serve.add_argument("--modbus-port", type=int, default=0, help="0: a free one")
    serve.add_argument("--snmp-port", type=int, default=0, help="0: a free one")
    serve.add_argument("--baud", type=int, default=9600)
    serve.add_argument("--parity", choices=("N", "E", "O"), default="N")
    serve.add_argument("--speed", type=float, default=1.0, help="room seconds per second")
    serve.add_argument("--noise", type=float, default=1.0, help="0: sensors without jitter")
    serve.add_argument("--seed", type=int, default=1)
    serve.add_argument("--counter-log", type=Path, help="adds the counter as unit 9")
    serve.add_argument("--no-snmp", action="store_true", help="without snmpd")
    order = commands.add_parser("control", help="give a running room an order")
    order.add_argument("--folder", type=Path, required=True)
    order.add_argument("words", nargs="+")
    options = parser.parse_args()
    if options.command == "serve":
        asyncio.run(_serve(options))
        return 0
    reply = send(options.folder / "control", " ".join(options.words))
    print(json.dumps(reply, ensure_ascii=False))
    return 0 if reply.get("ok") else 1


if __name__ == "__main__":
    sys.exit(main())
