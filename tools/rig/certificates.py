# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""A throw-away certificate authority: tests and the demo never meet a key that matters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rig.processes import RigError, program, run

VALID_DAYS = "365"


@dataclass(frozen=True)
class Identity:
    """A certificate and its key, as files."""

    common_name: str
    certificate_file: Path
    key_file: Path


class Authority:
    """Owns one folder with ca.pem and everything that CA signed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self._ca_key = folder / "ca.key"
        self._request("Watchroom throw-away CA", self.ca_file, self._ca_key, [
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign"])

    def server(self, name: str) -> Identity:
        """For a listener on loopback."""
        return self._sign(name, "localhost", [
            "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext", "extendedKeyUsage=serverAuth"])

    def client(self, common_name: str) -> Identity:
        """For whoever connects to the broker; the broker takes the CN as the user name."""
        return self._sign(common_name, common_name, ["-addext", "extendedKeyUsage=clientAuth"])

    def _sign(self, file_name: str, common_name: str, extensions: list[str]) -> Identity:
        certificate, key = self.folder / f"{file_name}.pem", self.folder / f"{file_name}.key"
        self._request(common_name, certificate, key, [
            "-CA", str(self.ca_file), "-CAkey", str(self._ca_key),
            "-addext", "basicConstraints=critical,CA:FALSE", *extensions])
        return Identity(common_name, certificate, key)

    @staticmethod
    def _request(common_name: str, certificate: Path, key: Path, extra: list[str]) -> None:
        # `-config /dev/null` would lose the section names that req insists on, so an own small file.
        config = certificate.parent / "req.cnf"
        if not config.exists():
            config.write_text("[req]\ndistinguished_name=name\nprompt=no\n[name]\nCN=unused\n")
        done = run([program("openssl"), "req", "-x509", "-config", config, "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-days", VALID_DAYS, "-subj",
                    f"/CN={common_name}", "-out", certificate, "-keyout", key, *extra])
        if done.returncode != 0:
            raise RigError(f"openssl could not make {certificate.name}: {done.stderr.strip()}")
        key.chmod(0o600)
