# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""The house's own certificates: how an agent gets in, stays in, and is put out for good."""

from __future__ import annotations

import getpass
import json
import shutil
import stat
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from story import Plan, Room, Story, connection, main, program, run, stays_true, wait_until
from rig.certificates import Identity
from rig.room import HOST_ID, binary, gateway_device

TIMEOUT_S = 420
LABELS = "trust"
TEMPERATURE = ("th1", "ambient.temperature")


def devices(addresses):  # type: ignore[no-untyped-def]
    return [gateway_device(addresses, "th1", "冷通道温湿度", "renke_rs_ws_n01", 1, poll_interval_ms=500)]


class Enrolment(Story):
    def room_with(self, **enrolment: int) -> Room:
        plan = Plan(devices=devices, snmp=False, mail=False, enrolment=enrolment)
        return self.enterContext(self.new_room(plan))  # type: ignore[no-any-return]

    def identity(self, room: Room) -> dict[str, object]:
        listed = json.loads(room.command("agents", "--json").stdout)["identities"]
        return next(one for one in listed if one["agent"] == "room1")

    def own_files(self, room: Room) -> Identity:
        folder = room.agent_folder / "identity"
        return Identity("hq.room1", folder / "agent.pem", folder / "agent.key")

    def publish(self, room: Room, identity: Identity, topic: str) -> str:
        """What a stock client is told; under MQTT 5 also that it was not allowed to."""
        done = run([program("mosquitto_pub"), *connection(room.broker.port, room.house.ca_file, identity), "-V", "5",
                    "-q", "1", "-t", topic, "-m", "x"])
        return "" if done.returncode == 0 and not done.stderr else done.stdout + done.stderr

    def gets_in(self, room: Room) -> bool:
        """Whether the broker lets a good certificate in."""
        done = run([program("mosquitto_sub"),
                    *connection(room.broker.port, room.house.ca_file, room.house.client("watcher")), "-t",
                    "spBv1.0/STATE/watchroom", "-E"])
        return done.returncode == 0

    def enrol(self, room: Room, token: Path, *more: str, settings: Path | None = None):  # type: ignore[no-untyped-def]
        return run([binary("watchroom-agent"), "enrol", room.house.url, "--token-file", token,
                    settings or room.agent_folder / "agent.toml", *more])

    def audit(self, room: Room, action: str) -> list[dict[str, str]]:
        entries = room.rest.get("/audit", limit=2000)["entries"]
        return [one for one in entries if one["action"] == action]

    def aged(self, room: Room, identity: Identity, *names: str) -> str:
        """Puts a certificate of the house's authority in the place of another: 80 days old, good for 10 more. Its
        serial."""
        folder = Path(tempfile.mkdtemp(dir=room.folder))
        (folder / "index").touch()
        use = "serverAuth" if names else "clientAuth"
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\nnew_certs_dir={folder}\nrand_serial=yes\n"
            "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n[e]\n"
            f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage={use}\n"
            + (f"subjectAltName={','.join(names)}\n" if names else ""))
        now = datetime.now(timezone.utc)
        day = "%Y%m%d%H%M%SZ"
        for command in (
                ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                 f"/CN={identity.common_name}", "-keyout", identity.key_file, "-out", folder / "csr"],
                ["ca", "-batch", "-notext", "-config", folder / "ca.cnf", "-extensions", "e", "-in", folder / "csr",
                 "-cert", room.house.folder / "ca.pem", "-keyfile", room.house.folder / "ca.key", "-startdate",
                 (now - timedelta(days=80)).strftime(day), "-enddate", (now + timedelta(days=10)).strftime(day),
                 "-out", identity.certificate_file]):
            done = run([program("openssl"), *command])
            self.assertEqual(done.returncode, 0, done.stderr)
        return self.serial_of(identity.certificate_file.read_text())

    def serial_of(self, pem: str) -> str:
        done = run([program("openssl"), "x509", "-noout", "-serial"], text_input=pem)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip().removeprefix("serial=")

    def shown_by_broker(self, room: Room) -> str:
        """The serial of what it shows who connects."""
        watcher = room.house.client("watcher")
        done = run([program("openssl"), "s_client", "-connect", f"127.0.0.1:{room.broker.port}", "-cert",
                    watcher.certificate_file, "-key", watcher.key_file])
        return self.serial_of(done.stdout)

    def new_token(self, room: Room, place: str, name: str) -> Path:
        token = room.folder / name
        done = room.command("enrol", place, "--out", token)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return token

    def test_AnAgentEnrolsOnceAndSpeaksForItselfOnly(self) -> None:
        room = self.room_with()
        room.start()
        room.wait_until_good(*TEMPERATURE)
        identity = self.identity(room)
        self.assertEqual((identity["state"], identity["common_name"]), ("valid", "hq.room1"))
        self.assertIn("hq/room1", room.command("agents").stdout)
        own = self.own_files(room)
        self.assertEqual(stat.S_IMODE(own.key_file.stat().st_mode), 0o600)
        secret = own.key_file.read_text().splitlines()[1]
        self.assertFalse([log for log in room.logs.iterdir() if secret in log.read_text(errors="replace")])

        # The token is spent, and a valid certificate is not written over by accident.
        token = room.agent_folder / "token"
        before = own.certificate_file.read_text()
        again = self.enrol(room, token)
        self.assertEqual(again.returncode, 1)
        self.assertIn("--replace", again.stderr)
        again = self.enrol(room, token, "--replace")
        self.assertEqual(again.returncode, 1)
        self.assertIn("used", again.stderr)
        self.assertEqual(own.certificate_file.read_text(), before)
        self.assertTrue([one for one in self.audit(room, "agent.enrol")
                         if one["outcome"] == "refused" and "used" in one["detail"]], "it is in the audit")

        # A token whose authority is another one: the secret is not even sent.
        foreign = self.new_token(room, "hq/room2", "foreign.token")
        text = foreign.read_text()
        foreign.write_text(text[:10] + ("A" if text[10] != "A" else "B") + text[11:])
        other = room.folder / "room2"
        other.mkdir()
        (other / "agent.toml").write_text(
            (room.agent_folder / "agent.toml").read_text().replace('"room1"', '"room2"')
            .replace(str(room.agent_folder), str(other)))
        refused = self.enrol(room, foreign, settings=other / "agent.toml")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("another CA", refused.stderr)
        self.assertFalse([one for one in self.audit(room, "agent.enrol") if "room2" in one["object"]])
        self.assertFalse((other / "identity" / "agent.pem").exists())
        # And with the token of another agent.
        third = self.new_token(room, "hq/room3", "room3.token")
        refused = self.enrol(room, third, settings=other / "agent.toml")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("hq.room3", refused.stderr)

        # Nobody else's topics, and without a certificate of this house nothing at all.
        for topic in ("spBv1.0/branch/NBIRTH/room1", "spBv1.0/hq/NBIRTH/room2", "spBv1.0/hq/DDATA/room2/th1",
                      "spBv1.0/hq/NCMD/room1", "spBv1.0/STATE/watchroom"):
            self.assertRegex(self.publish(room, own, topic), r"(?i)not authori[sz]ed", topic)
        stranger = room.authority.client("hq.room1")
        self.assertNotEqual(self.publish(room, stranger, "spBv1.0/hq/NBIRTH/room1"), "")
        room.agent.require_running()

    def test_ACertificateIsRenewedAtRunTimeAndLate(self) -> None:
        room = self.room_with(certificate_life_min=1)
        room.start()
        room.wait_until_good(*TEMPERATURE)
        observer = room.observe()
        first = self.identity(room)["serial"]
        began = time.monotonic()
        wait_until(lambda: self.identity(room)["serial"] != first, 60, "a renewed certificate")
        self.tell(f"renewed {time.monotonic() - began:.0f} s after it was seen, of 60 s of life")
        wait_until(lambda: room.agent.log().count("the certificate was renewed") >= 1, 10, "the agent to say so")
        births = [m for m in observer.messages() if m.topic == "spBv1.0/hq/NBIRTH/room1"]
        wait_until(lambda: len([m for m in observer.messages() if m.topic == "spBv1.0/hq/NBIRTH/room1"]) > 0, 15,
                   "a birth in the new session")
        room.wait_until_good(*TEMPERATURE)
        self.assertFalse([m for m in observer.messages() if "NDEATH" in m.topic], "nobody saw it go")
        self.assertEqual(room.rest.agents()["hq/room1"]["journal"]["lost"], 0)
        self.assertLessEqual(len(births), 1)

        # Switched off until it has run out; then it is let in again by its own means.
        room.agent.stop()
        own = self.own_files(room)
        wait_until(lambda: run([program("openssl"), "x509", "-in", own.certificate_file, "-noout", "-checkend",
                                "0"]).returncode == 1, 90, "the certificate to run out")
        self.assertNotEqual(self.publish(room, own, "spBv1.0/hq/NBIRTH/room1"), "")
        room.start_agent()
        began = time.monotonic()
        room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 30, "good again")
        self.tell(f"back {time.monotonic() - began:.1f} s after the start with a certificate that had run out")

    def test_ARevokedAgentIsCutOffAndStaysOut(self) -> None:
        room = self.room_with()
        room.start()
        room.wait_until_good(*TEMPERATURE)
        observer = room.observe()
        began = time.monotonic()
        done = room.command("revoke", "hq/room1", "--reason", "the controller was stolen")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wait_until(lambda: any(m.topic == "spBv1.0/hq/NDEATH/room1" for m in observer.messages()), 10,
                   "the death of the revoked agent")
        self.tell(f"cut {time.monotonic() - began:.1f} s after the command")
        wait_until(lambda: room.rest.agents()["hq/room1"]["state"] == "offline", 10, "the centre to show it")
        wait_until(lambda: "it has no broker session any more" in room.aggregator.log(), 15, "the cut to be sure")
        acl = (room.folder / "broker" / "acl")
        wait_until(lambda: "hq.room1" not in acl.read_text(), 5, "its rules to go")
        self.assertTrue(stays_true(lambda: room.rest.agents()["hq/room1"]["state"] == "offline", 5.0))
        self.assertNotEqual(self.publish(room, self.own_files(room), "spBv1.0/hq/NBIRTH/room1"), "")
        self.assertEqual((self.identity(room)["state"], self.identity(room)["reason"]),
                         ("revoked", "the controller was stolen"))
        self.assertIn("已吊销", room.command("agents", "--lang", "zh").stdout)
        own = self.own_files(room)
        csr = room.folder / "csr"
        run([program("openssl"), "req", "-new", "-key", own.key_file, "-subj", "/CN=hq.room1", "-outform", "DER",
             "-out", csr])
        run([program("openssl"), "base64", "-in", csr, "-out", room.folder / "csr.b64"])
        renewal = run([program("curl"), "-sS", "--noproxy", "*", "--cacert", room.house.ca_file, "--cert",
                       own.certificate_file, "--key", own.key_file, "-H", "Content-Type: application/pkcs10",
                       "--data-binary", f"@{room.folder / 'csr.b64'}",
                       f"{room.house.url}/.well-known/est/simplereenroll"])
        self.assertIn("revoked", renewal.stdout)

        # A new token lets it in again.
        token = self.new_token(room, "hq/room1", "again.token")
        done = self.enrol(room, token, "--replace")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 60, "good again")

    def test_CentreAndBrokerRenewTheirOwnCertificates(self) -> None:
        room = self.room_with()
        host, server = room.house.host(HOST_ID), room.house.server("broker")
        server = Identity("localhost", server.certificate_file, server.key_file)
        room.house.settings |= {"broker_certificate_file": str(server.certificate_file),
                                "broker_key_file": str(server.key_file)}
        old_server = self.aged(room, server, "DNS:localhost", "IP:127.0.0.1")
        room.start_simulator()
        room.broker.start()
        self.assertEqual(self.shown_by_broker(room), old_server)
        observer = room.observe()
        began = time.monotonic()
        room.start_aggregator()
        wait_until(lambda: self.shown_by_broker(room) != old_server, 20, "the broker's new one, after SIGHUP")
        self.tell(f"mosquitto shows its new certificate {time.monotonic() - began:.1f} s after the aggregator's start")
        states = lambda: [m for m in observer.messages() if m.topic == f"spBv1.0/STATE/{HOST_ID}"]  # noqa: E731
        wait_until(lambda: len(states()) == 1, 20, "the centre's first session")
        old_host = self.aged(room, host)
        began = time.monotonic()
        wait_until(lambda: self.serial_of(host.certificate_file.read_text()) != old_host, 30, "the centre's new one")
        wait_until(lambda: len(states()) >= 2, 20, "a second session of the centre, with its new certificate")
        self.tell(f"the centre's is renewed and in use {time.monotonic() - began:.1f} s after it was found old")
        self.assertEqual(stat.S_IMODE(host.key_file.stat().st_mode), 0o600)
        self.assertFalse(host.key_file.with_name(host.key_file.name + ".next").exists())
        self.assertFalse([m for m in states() if b'"online":false' in m.payload], "nobody saw it go")
        room.start_agent()
        room.wait_until_good(*TEMPERATURE)
        renewed = self.audit(room, "certificate.renew")
        self.assertEqual({(one["object"], one["outcome"]) for one in renewed}, {("host", "done"), ("broker", "done")})
        self.assertEqual(len(renewed), 2)
        told_twice = [one["object"] for one in self.audit(room, "certificate.issue")
                      for other in renewed if one["detail"].split(",")[0] == other["detail"].split(",")[0]]
        self.assertEqual(told_twice, [])
        self.assertIsNone(room.find_alarm("own-certificate-30-days"))
        # What mosquitto was told it also reads when it starts.
        shown = self.shown_by_broker(room)
        room.broker.stop()
        room.broker.start()
        self.assertEqual(self.shown_by_broker(room), shown)
        room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 40, "good again")

    def test_ABrokerThatNobodyRenewsIsAnAlarmDaysBefore(self) -> None:
        room = self.room_with()
        server = room.house.server("broker")
        self.aged(room, Identity("localhost", server.certificate_file, server.key_file), "DNS:localhost",
                  "IP:127.0.0.1")
        room.start()
        alarm = room.wait_for_alarm("own-certificate-14-days", deadline_s=30)
        self.assertIn("broker_certificate_file", alarm["text_en"])
        self.assertIsNone(room.find_alarm("own-certificate-7-days"))

    def test_ACloneOfAnAgentIsAnAlarmAndRevocationEndsIt(self) -> None:
        room = self.room_with()
        room.start()
        room.wait_until_good(*TEMPERATURE)
        thief = room.folder / "thief"
        shutil.copytree(room.agent_folder / "identity", thief / "identity")
        (thief / "agent.toml").write_text(
            (room.agent_folder / "agent.toml").read_text().replace(str(room.agent_folder), str(thief))
            .replace(f"127.0.0.1:{room.metrics_port}", ""))
        for secret in room.agent_folder.glob("snmp*"):
            shutil.copy(secret, thief / secret.name)
        began = time.monotonic()
        clone = room.processes.spawn("clone", [binary("watchroom-agent"), "run", thief / "agent.toml"])
        alarm = room.wait_for_alarm("cloned-agent", deadline_s=60)
        self.tell(f"told {time.monotonic() - began:.1f} s after the clone's start")
        self.assertEqual((alarm["agent"], alarm["severity"]), ("room1", "critical"))
        self.assertIn("revoke", alarm["text_en"])
        clone.require_running()
        done = room.command("revoke", "hq/room1", "--reason", "cloned")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wait_until(lambda: "it has no broker session any more" in room.aggregator.log(), 40, "both to be out")
        # The real one is enrolled anew and stays; the clone's certificate is void.
        token = self.new_token(room, "hq/room1", "again.token")
        done = self.enrol(room, token, "--replace")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 60, "good again")
        self.assertTrue(stays_true(lambda: room.rest.agents()["hq/room1"]["state"] == "online", 8.0))
        clone.stop()

    def authority(self, room: Room, command: str, *more: str):  # type: ignore[no-untyped-def]
        settings = room.house.folder.parent.parent / "aggregator.toml"
        return run([binary("watchroom-aggregator"), "authority", command, settings, *more])

    def test_ACopyOfTheCentresCertificateIsVoidOnceItWasReplaced(self) -> None:
        room = self.room_with()
        room.start()
        room.wait_until_good(*TEMPERATURE)
        host = room.house.host(HOST_ID)
        old = self.serial_of(host.certificate_file.read_text())
        copy = Identity(HOST_ID, room.folder / "copy.pem", room.folder / "copy.key")
        shutil.copy(host.certificate_file, copy.certificate_file)
        shutil.copy(host.key_file, copy.key_file)
        refused = self.authority(room, "revoke", "--name", HOST_ID, "--reason", "copied")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("in use", refused.stderr)
        done = self.authority(room, "issue-host", "--replace")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        began = time.monotonic()
        wait_until(lambda: [one for one in self.audit(room, "certificate.revoke") if old in one["detail"]], 60,
                   "the old one's end in the audit")
        wait_until(lambda: self.publish(room, copy, f"spBv1.0/STATE/{HOST_ID}") != "", 15, "the copy to be refused")
        self.tell(f"the copy was void {time.monotonic() - began:.1f} s after the new certificate was made")
        self.assertTrue([one for one in self.audit(room, "certificate.issue") if HOST_ID in one["object"]])
        room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 40, "good again")

        # Another program's, by its serial number.
        watcher = room.house.client("watcher")
        self.assertTrue(self.gets_in(room))
        serial = self.serial_of(watcher.certificate_file.read_text())
        connected = lambda: room.broker.process.log().count(" as watcher")  # noqa: E731
        thrown_out = lambda: room.broker.process.log().count("watcher already connected")  # noqa: E731
        visits, cuts = connected(), thrown_out()
        laptop = room.processes.spawn("laptop", [
            program("mosquitto_sub"), *connection(room.broker.port, room.house.ca_file, watcher), "-t", "spBv1.0/#"])
        wait_until(lambda: connected() > visits, 10, "the other program's session")
        done = self.authority(room, "revoke", "--serial", serial, "--reason", "laptop stolen", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([one["serial"] for one in json.loads(done.stdout)["revoked"]], [serial])
        again = self.authority(room, "revoke", "--serial", serial, "--reason", "laptop stolen", "--json")
        self.assertEqual((again.returncode, json.loads(again.stdout)["error"]["code"]), (1, "not_found"))
        wait_until(lambda: [one for one in self.audit(room, "client.cut") if one["object"] == watcher.common_name], 40,
                   "the broker connection to be cut")
        self.assertGreater(thrown_out(), cuts)
        self.assertFalse(self.gets_in(room), "the other program is kept out")
        laptop.stop()

    def test_APidFileThatLeadsToNoBrokerIsAnAlarm(self) -> None:
        room = self.room_with()
        wrong = room.folder / "wrong.pid"
        wrong.write_text("1\n")
        room.house.settings |= {"broker_pid_file": str(wrong)}
        room.start_simulator()
        room.broker.start()
        room.start_aggregator()
        alarm = room.wait_for_alarm("broker-files", deadline_s=60)
        self.assertIn("broker_pid_file", alarm["text_en"])

    def test_TheMosquittoConfThatIsPrintedServesAsItIs(self) -> None:
        room = self.room_with()
        server = room.house.server("broker")
        room.house.settings |= {"broker_certificate_file": str(server.certificate_file),
                                "broker_key_file": str(server.key_file)}
        room.start_simulator()
        room.broker.start()
        room.start_aggregator()
        room.broker.stop()
        printed = self.authority(room, "mosquitto-conf")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        ready = room.folder / "ready.conf"
        # Started by root it becomes another user, who cannot read this folder.
        ready.write_text(printed.stdout + f"user {getpass.getuser()}\n")
        broker = room.processes.spawn("ready", [program("mosquitto"), "-c", ready])
        wait_until(lambda: self.gets_in(room), 20, "a good certificate to get in, by STATE of the centre")
        self.assertNotEqual(self.publish(room, room.authority.client("hq.room1"), "spBv1.0/hq/NBIRTH/room1"), "")
        broker.stop()

    def test_ARestartedAgentAndAFlappingNetworkAreNoClone(self) -> None:
        room = self.room_with()
        room.start()
        for _ in range(5):
            room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 40, "good")
            room.agent.kill()
            room.start_agent()
            room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 40, "good")
            room.broker.kill()
            room.broker.start()
        # One new disk.
        room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 40, "good")
        room.agent.stop()
        shutil.rmtree(room.agent_folder / "data")
        room.start_agent()
        room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 40, "good")
        self.assertIsNone(room.find_alarm("cloned-agent"))

    def test_AnOldListOfTheRevokedLocksNobodyOutOnceTheCentreRuns(self) -> None:
        room = self.room_with()
        room.start()
        room.wait_until_good(*TEMPERATURE)
        self.assertTrue(self.gets_in(room))
        room.aggregator.stop()
        folder = room.folder / "old"
        folder.mkdir()
        (folder / "index").touch()
        (folder / "number").write_text("01\n")
        (folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/index\ncrlnumber={folder}/number\ndefault_md=sha256\n")
        authority = room.house.folder
        made = run([program("openssl"), "ca", "-config", folder / "ca.cnf", "-gencrl", "-cert", authority / "ca.pem",
                    "-keyfile", authority / "ca.key", "-crl_lastupdate", "20200101000000Z", "-crl_nextupdate",
                    "20200102000000Z", "-out", room.folder / "broker" / "crl.pem"])
        self.assertEqual(made.returncode, 0, made.stderr)
        room.broker.stop()
        room.broker.start()
        self.assertFalse(self.gets_in(room), "mosquitto lets nobody in on a list that ran out")
        room.start_aggregator()
        began = time.monotonic()
        wait_until(lambda: self.gets_in(room), 15, "the broker to let people in again")
        self.tell(f"healed {time.monotonic() - began:.1f} s after the aggregator answered")
        room.wait_for_point(*TEMPERATURE, lambda p: p["quality"] == "good" and p["age_s"] < 2, 40, "good again")


if __name__ == "__main__":
    main()
