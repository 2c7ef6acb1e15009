# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A mail server that refuses, hangs or cuts: the mail arrives in the end, once, under one Message-ID."""

from __future__ import annotations

from story import Plan, Room, Story, main, stays_true, wait_until
from rig.room import leak_sensor

TIMEOUT_S = 180


def devices(addresses):  # type: ignore[no-untyped-def]
    return [leak_sensor(addresses)]


class MailTrouble(Story):
    def play(self, mode: str, starttls: bool) -> None:
        with self.new_room(Plan(devices=devices, snmp=False, starttls=starttls)) as room:
            room.start()
            room.wait_until_good("leak1", "leak.state")
            sink = room.mail_sink
            sink.set_mode(mode)
            room.order("leak on")
            room.wait_for_alarm("leak", "leak1")
            attempts = wait_until(lambda: sink.transfers(mode), 20, f"an attempt that meets '{mode}'")
            self.assertEqual(room.rest.get("/status")["counts"]["alarms_open"], 1)
            if mode == "refuse":
                # The outbox is on disk: a restart in between neither forgets nor repeats.
                room.aggregator.kill()
                room.start_aggregator()
            sink.set_mode("accept")
            accepted = wait_until(lambda: sink.accepted(), 60, "the mail to be accepted in the end")
            self.assertEqual(accepted[0].message_id, attempts[0].message_id)
            wait_until(lambda: room.find_alarm("leak")["mail"] == "sent", 10, "mail: sent")
            self.assertTrue(stays_true(lambda: len(sink.accepted()) == 1, 8.0), "mailed twice")
            self.tell(f"{mode}: {len(sink.transfers(mode))} failed transfers, then accepted once")

    def test_ARefusedMailIsTriedAgainAlsoAfterARestart(self) -> None:
        self.play("refuse", starttls=True)

    def test_AMailCutOffBeforeItsAnswerRepeatsWithTheSameMessageId(self) -> None:
        self.play("cut", starttls=False)

    def test_AHangingServerDoesNotHoldTheAlarmUp(self) -> None:
        self.play("hang", starttls=True)


if __name__ == "__main__":
    main()
