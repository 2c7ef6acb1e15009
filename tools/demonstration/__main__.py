# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Started by tools/demo once everything is installed and built."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from demonstration.hops import HOPS, JournalWatch, Passage, complete
from demonstration.live import LiveDemo, say
from rig.observer import Decoder
from rig.processes import RigError, TimedOut, wait_until
from rig.room import Plan, Room

LEAK = ("leak1", "leak.state", 1, "leak")
# What hangs on a dry contact only its room knows, so the rules for it are the room's own.
RULES = """
[[rule]]
id = "smoke-contact"
kind = "state"
point = "contact[1].state"
device = "contacts1"
raise_when = ["closed"]
severity = "critical"
title_zh = "烟感动作"
title_en = "Smoke detector"
"""
STATION_ZH = {"journal": "代理日志 the agent's journal", "broker": "消息服务器 the broker",
              "stored": "存储 the store", "alarm": "告警 the alarm", "mail": "邮件 the mail"}


def begin(room: Room) -> None:
    """All parts in order, each said, and every device read once."""
    parts = [("模拟机房 simulated room", room.start_simulator), ("消息服务器 broker", room.broker.start),
             ("邮件接收 mail sink", room.start_mail_sink), ("汇聚端 aggregator", room.start_aggregator),
             ("采集代理 agent", room.start_agent)]
    for name, start in parts:
        began = time.monotonic()
        start()
        say("启动 start", f"{name} ({(time.monotonic() - began) * 1000:.0f} ms)")


def unread_devices(room: Room) -> list[str]:
    agents = room.rest.agents()
    devices = agents.get(f"{room.plan.site}/{room.plan.agent}", {"devices": []})["devices"]
    wanted = {line.split('"')[1] for line in (room.agent_folder / "agent.toml").read_text().splitlines()
              if line.startswith("id = ")}
    good = {device["id"] for device in devices if device["communication"] == "ok"}
    return sorted(wanted - good)


def once(room: Room) -> dict[str, Any]:
    """A leak, timed at every station. The result says what is missing, if anything."""
    decoder = Decoder(room.folder / "schema")
    observer = room.observe()
    missing = []
    try:
        wait_until(lambda: not unread_devices(room), 15, "all devices")
    except TimedOut:
        missing = [f"device {device} is not read" for device in unread_devices(room)]
    room.wait_until_good(LEAK[0], LEAK[1], 10)
    with JournalWatch(room.agent_folder / "data") as watch:
        time.sleep(0.2)  # lets the watch see the present head, so that the leak's record is new to it
        passage = Passage(sensor=float(room.order("leak on")["time_ms"]))
        say("现场 sensor", "北侧漏水 · water leak, north side")
        try:
            wait_until(lambda: complete(passage, room, observer, decoder, watch, *LEAK), 12, "all hops")
        except TimedOut:
            missing += [f"{STATION_ZH[name]} never saw the leak" for name in passage.missing]
            if watch.failure:
                missing.append(watch.failure)
    hops = passage.hops_ms()
    for name in HOPS:
        say("耗时 hop", f"{name:<20}{hops[name]:>9.1f} ms" if name in hops else f"{name:<20}  missing")
    if passage.mail_file:
        say("邮件 mail", passage.mail_file)
    result: dict[str, Any] = {"ok": not missing, "hops_ms": hops, "total_ms": passage.total_ms()}
    if missing:
        result["missing"] = missing
    return result


ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupted(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/demo", description="The whole product on this machine.")
    parser.add_argument("--once", action="store_true", help="inject one leak, print the time of each hop, end")
    parser.add_argument("--still", action="store_true", help="let nothing happen in the room by itself")
    parser.add_argument("--keep", action="store_true", help="keep logs and data also after a good --once")
    options = parser.parse_args()
    # SIGINT too: a shell starts what runs in its background with SIGINT ignored, and Python leaves that so.
    for number in ENDS:
        signal.signal(number, interrupted)
    folder = room = None
    result: dict[str, Any] = {"ok": True}
    try:
        folder = Path(tempfile.mkdtemp(prefix="watchroom-demo-"))
        room = Room(Plan(rules=RULES, enrolment={}), folder)
        begin(room)
        if options.once:
            result = once(room)
        else:
            LiveDemo(room, plays=not options.still).run()
    except KeyboardInterrupt:
        result = {"ok": not options.once, "missing": ["interrupted"]}
        print()
    except Exception as error:  # noqa: BLE001 (whatever it is, the last line says it)
        result = {"ok": False, "missing": [str(error) or repr(error)]}
        if not isinstance(error, (RigError, OSError)):
            traceback.print_exc()
        print(f"tools/demo: {error}", file=sys.stderr)
    finally:
        for number in ENDS:
            signal.signal(number, signal.SIG_IGN)
        if room is not None:
            room.stop()
    if folder is not None and options.once and result["ok"] and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        say("结束 ended", f"全部进程已停止，日志与邮件在 · everything stopped; logs and mails: {folder}")
    if options.once:
        print(json.dumps({"ok": False, "hops_ms": {}, "total_ms": None} | result, ensure_ascii=False), flush=True)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
