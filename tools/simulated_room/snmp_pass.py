# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""snmpd's pass_persist child (snmpd.conf(5)): forwards each question to the room's control socket."""

from __future__ import annotations

import json
import socket
import sys


def main() -> None:
    with socket.socket(socket.AF_UNIX) as room:
        room.connect(sys.argv[1])
        replies = room.makefile("r")
        for line in sys.stdin:
            word = line.strip().lower()
            if word == "ping":
                print("PONG", flush=True)
                continue
            if word not in ("get", "getnext"):
                # SET carries two more lines; the room is read-only over SNMP.
                sys.stdin.readline()
                sys.stdin.readline()
                print("not-writable", flush=True)
                continue
            oid = sys.stdin.readline().strip()
            room.sendall(f"oid {word} {oid}\n".encode())
            answer = json.loads(replies.readline())
            if answer.get("found"):
                print(f".{answer['oid']}\n{answer['type']}\n{answer['value']}", flush=True)
            else:
                print("NONE", flush=True)


if __name__ == "__main__":
    main()
