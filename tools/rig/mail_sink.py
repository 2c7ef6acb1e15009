# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""An SMTP server that keeps what it gets, and misbehaves on demand.

Runs as a process of its own (`python3 -m rig.mail_sink FOLDER …`) so that its time stamps and its
faults do not depend on the test's. The file `mode` in its folder holds one word:

    accept   take the mail (also when the file is missing)
    refuse   answer 451 after DATA, as a mailbox that is busy
    hang     never answer after DATA
    cut      take the whole mail, then cut the connection instead of answering: the sender cannot
             know whether it arrived

Each transfer that got as far as the end of DATA becomes one line of `transfers.jsonl`.
"""

from __future__ import annotations

import argparse
import asyncio
import email
import email.policy
import json
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.certificates import Identity
from rig.processes import Process, ProcessSet, free_port


@dataclass(frozen=True)
class Transfer:
    """One mail as the sink saw it."""

    time_ms: int
    outcome: str
    message_id: str
    subject: str
    file: Path


class MailSink:
    """The rig's side: starts the server process, sets its mode, reads what it kept."""

    def __init__(self, folder: Path, processes: ProcessSet, identity: Identity, user: str,
                 password: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.tls_port = free_port()
        password_file = folder / "sink_password"
        password_file.write_text(password)
        password_file.chmod(0o600)  # the aggregator refuses a secret that others can read
        self.process: Process = processes.spawn("mail_sink", [
            "/usr/bin/python3", "-m", "rig.mail_sink", folder, "--port", str(self.port), "--tls-port",
            str(self.tls_port), "--certificate", identity.certificate_file, "--key", identity.key_file,
            "--user", user, "--password-file", password_file,
        ], environment={"PYTHONPATH": str(Path(__file__).resolve().parent.parent)})

    def wait(self) -> MailSink:
        self.process.wait_for_port(self.port).wait_for_port(self.tls_port)
        return self

    def set_mode(self, mode: str) -> None:
        temporary = self.folder / "mode.new"
        temporary.write_text(mode)
        temporary.rename(self.folder / "mode")

    def transfers(self, outcome: str | None = None) -> list[Transfer]:
        path = self.folder / "transfers.jsonl"
        if not path.exists():
            return []
        found = []
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            entry["file"] = Path(entry["file"])
            found.append(Transfer(**entry))
        return [transfer for transfer in found if outcome in (None, transfer.outcome)]

    def accepted(self) -> list[Transfer]:
        return self.transfers("accept")


class _Handler:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mode_file = self._folder / "mode"
        mode = mode_file.read_text().strip() if mode_file.exists() else "accept"
        self._keep(mode, envelope)
        if mode == "refuse":
            return "451 4.3.2 the mailbox is busy, try again"
        if mode == "hang":
            await asyncio.sleep(3600)
        if mode == "cut":
            server.transport.abort()
        return "250 2.0.0 kept"

    def _keep(self, mode: str, envelope: Any) -> None:
        self._count += 1
        received_ms = time.time_ns() // 1_000_000
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        path = self._folder / f"{received_ms}-{self._count:04}-{mode}.eml"
        path.write_bytes(envelope.content)
        entry = {"time_ms": received_ms, "outcome": mode, "message_id": str(message["Message-ID"]),
                 "subject": str(message["Subject"]), "file": str(path)}
        with (self._folder / "transfers.jsonl").open("a") as log:
            log.write(json.dumps(entry, ensure_ascii=False) + "\n")


async def _serve(options: argparse.Namespace) -> None:
    # Imported here: the rig's side must work where only the standard library is wanted.
    from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

    password = options.password_file.read_text().strip()

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> Any:
        good = (isinstance(login, LoginPassword) and login.login.decode() == options.user
                and login.password.decode() == password)
        # handled=False leaves the answer (235 or 535) to aiosmtpd; True would mean we sent it.
        return AuthResult(success=good, handled=False)

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.load_cert_chain(options.certificate, options.key)
    handler = _Handler(options.folder)
    loop = asyncio.get_running_loop()

    def smtp(starttls: bool) -> SMTP:
        return SMTP(handler, hostname="localhost", enable_SMTPUTF8=True, authenticator=authenticate,
                    auth_required=True, auth_require_tls=starttls, require_starttls=starttls,
                    tls_context=tls if starttls else None)

    plain = await loop.create_server(lambda: smtp(True), "127.0.0.1", options.port)
    wrapped = await loop.create_server(lambda: smtp(False), "127.0.0.1", options.tls_port, ssl=tls)
    async with plain, wrapped:
        await asyncio.gather(plain.serve_forever(), wrapped.serve_forever())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True, help="SMTP with STARTTLS")
    parser.add_argument("--tls-port", type=int, required=True, help="SMTPS")
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", type=Path, required=True)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
