# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Runs a real snmpd on loopback that shows the room's UPS and rack PDU."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from rig.processes import Process, program, run, wait_until
from simulated_room.snmp_tree import POWERNET, UPS_MIB

COMMUNITY = "room-read"
USER, AUTH_KEY, PRIVACY_KEY = "watch", "authentic-room-1", "private-room-1"
# net-snmp keeps keys per engine and user, also in a client: who tests a wrong key needs a user of his own.
OTHER_USER = "guard"


class SnmpDaemon:
    """Owns snmpd and its folder. SHA-256 and AES for version 3, one community for versions 1 and 2c."""

    def __init__(self, folder: Path, port: int, control_socket: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # snmpd rewrites a file called snmpd.conf in its state folder: not the one our own lies in.
        self._state = folder / "state"
        self._state.mkdir(exist_ok=True)
        self._port = port
        self.is_wanted = True
        self._turn = asyncio.Lock()
        self._placeholder: socket.socket | None = None
        pass_command = f"/usr/bin/python3 {Path(__file__).with_name('snmp_pass.py')} {control_socket}"
        (folder / "snmpd.conf").write_text("\n".join([
            f"agentaddress udp:127.0.0.1:{port}",
            f"rocommunity {COMMUNITY} 127.0.0.1",
            f"createUser {USER} SHA-256 {AUTH_KEY} AES {PRIVACY_KEY}",
            f"rouser {USER} priv",
            f"createUser {OTHER_USER} SHA-256 {AUTH_KEY} AES {PRIVACY_KEY}",
            f"rouser {OTHER_USER} priv",
            f"pass_persist .{UPS_MIB} {pass_command}",
            f"pass_persist .{POWERNET} {pass_command}",
            "dontLogTCPWrappersConnects yes",
        ]) + "\n")
        self._process = Process("snmpd", [
            # Not -C with -c: it would forget engine id and boots over a restart, which no real card does.
            program("snmpd"), "-f", "-r", "-Lo",
            # Without this snmpd also listens for SMUX on a public port.
            "-I", "-smux", "-p", folder / "snmpd.pid",
        ], folder / "snmpd.log", environment={"SNMPCONFPATH": f"{folder}:{self._state}",
                                        "SNMP_PERSISTENT_DIR": str(self._state), "MIBS": ""})

    async def follow(self, is_powered: bool) -> None:
        """Starts or stops the daemon as power and the last order want it."""
        async with self._turn:
            if (is_powered and self.is_wanted) != self._process.is_running():
                # snmpd asks this program for its values, so nobody may wait for it in the loop that answers.
                act = self.stop if self._process.is_running() else self._start
                await asyncio.get_running_loop().run_in_executor(None, act)

    def _start(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None
        self._process.start()
        wait_until(self._answers, 10.0, "snmpd to answer")

    def _answers(self) -> bool:
        self._process.require_running()
        return run([program("snmpget"), "-v2c", "-c", COMMUNITY, "-t", "0.5", "-r", "0", "-On",
                    f"127.0.0.1:{self._port}", f".{UPS_MIB}.2.1.0"],
                   environment={"SNMP_PERSISTENT_DIR": str(self._state), "MIBS": ""}).returncode == 0

    def stop(self) -> None:
        self._process.stop()
        # Somebody must hold the port: a card without power sends no ICMP error either.
        self._placeholder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._placeholder.bind(("127.0.0.1", self._port))
