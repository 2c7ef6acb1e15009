# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The demo a person watches: a little story in the room, and what arrives because of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from rig.processes import POLL_INTERVAL_S
from rig.rest import Refused, Unreachable
from rig.room import Room

# Seconds since the previous line, order to the room, what a person is told.
STORY = [
    (6.0, "leak on", "北侧地板下开始漏水 · water under the floor, north side"),
    (20.0, "leak off", "水已擦干 · the water is gone"),
    (10.0, "mains off", "市电中断，UPS 供电，空调停机 · mains fails; UPS carries on, cooling stops"),
    (40.0, "mains on", "市电恢复 · mains is back"),
    (10.0, "smoke on", "烟感动作 · a smoke detector trips"),
    (15.0, "smoke off", "烟感复位 · the smoke detector is reset"),
    (10.0, "silence unit 1", "冷通道温湿度变送器断线 · the cold-aisle sensor stops answering"),
    (45.0, "answer unit 1", "变送器恢复 · the sensor answers again"),
]


def banner(room: Room) -> str:
    folder = room.folder
    return f"""
  ============================================================================
   值守间演示 · Watchroom demo
   网址 URL        https://localhost:{room.web_port}/
                   (证书由临时 CA 签发，浏览器会提示；certificate of a throw-away CA: the browser will warn)
   CA              {room.authority.ca_file}
   用户名 user      admin
   密码 password    {room.password}      (随机生成，仅此次有效 · random, valid for this run only)
   日志 logs        {room.logs}
   邮件 mails       {folder / 'mail'}
   动手试试 try     tools/simulator control --folder {folder / 'room'} leak on
                   tools/simulator control --folder {folder / 'room'} get
   命令行 CLI       build/bin/watchroom alarms --url https://localhost:{room.web_port} \\
                     --ca-file {room.authority.ca_file} --token-file {room.aggregator_folder / 'token'}
   Ctrl-C 结束并停止全部进程 · Ctrl-C ends and stops everything
  ============================================================================
"""


def say(kind: str, text: str) -> None:
    print(f"{datetime.now():%H:%M:%S}  {kind:<14}{text}", flush=True)


class LiveDemo:
    def __init__(self, room: Room, plays: bool) -> None:
        self._room = room
        self._story = iter(STORY if plays else [])
        self._alarms: dict[int, tuple[str, object]] = {}
        self._mails = 0

    def run(self) -> None:
        """Until Ctrl-C."""
        print(banner(self._room), flush=True)
        due = self._next_event(time.monotonic())
        while True:
            for process in (self._room.agent, self._room.aggregator, self._room.broker.process):
                assert process is not None
                process.require_running()
            if due is not None and time.monotonic() >= due[0]:
                self._room.order(due[1])
                say("现场 sensor", due[2])
                due = self._next_event(time.monotonic())
            for kind, text in [*self._new_alarms(), *self._new_mails()]:
                say(kind, text)
            time.sleep(10 * POLL_INTERVAL_S)

    def _next_event(self, now: float) -> tuple[float, str, str] | None:
        event = next(self._story, None)
        if event is None:
            return None
        return now + event[0], event[1], event[2]

    def _new_alarms(self) -> Iterator[tuple[str, str]]:
        try:
            alarms = self._room.rest.alarms()
        except (Refused, Unreachable):
            return
        for alarm in sorted(alarms, key=lambda a: int(a["id"])):
            state = (alarm["state"], alarm["is_active"], alarm["raised_at"])
            if self._alarms.get(alarm["id"]) == state:
                continue
            self._alarms[alarm["id"]] = state
            word = "告警 alarm" if alarm["is_active"] else "恢复 cleared"
            yield word, (f"#{alarm['id']} [{alarm['severity']}] {alarm['device_name']} {alarm['title_zh']} · "
                         f"{alarm['title_en']} ({alarm['state']})")

    def _new_mails(self) -> Iterator[tuple[str, str]]:
        assert self._room.mail_sink is not None
        accepted = self._room.mail_sink.accepted()
        for mail in accepted[self._mails:]:
            yield "邮件 mail", f"{mail.subject}\n{'':24}{mail.file}"
        self._mails = len(accepted)
