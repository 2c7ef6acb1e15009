# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Probes recordings of real SNMP devices and compares each value with what another system reads.

corpus.py [NAME…]     only these recordings, and every difference of each

The folder is named by WATCHROOM_RECORDINGS: NAME.snmprec beside NAME.tsv (oid, class, value, description). The
recordings are no part of the project; without them the test is skipped. They check the profiles, they are not
what profiles are made from.
"""

from __future__ import annotations

import csv
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from rig.processes import Process, free_port, program, wait_until  # noqa: E402

TIMEOUT_S = 1200
SKIPPED = 77
WANTED_MEAN = 0.90
# What the other system reads is rounded, sometimes twice.
RELATIVE_TOLERANCE = 0.01
ABSOLUTE_TOLERANCE = 0.051


@dataclass
class Result:
    name: str
    expected: int = 0
    right: int = 0
    profiles: str = ""
    points: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        return self.right / self.expected if self.expected else 1.0


def is_same(expected: str, found: object) -> bool:
    if found is None:
        return False
    try:
        wanted, got = float(expected), float(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(found) == expected
    return abs(wanted - got) <= max(ABSOLUTE_TOLERANCE, RELATIVE_TOLERANCE * abs(wanted))


def probe(agent: Path, profiles: Path, port: int, recording: Path) -> Result:
    result = Result(recording.stem)
    run = subprocess.run(
        [agent, "probe", f"snmp://127.0.0.1:{port}?community={recording.stem}", "--json",
         "--profiles-dir", profiles], capture_output=True, text=True, timeout=300)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    result.points = len(lines)
    result.profiles = "; ".join(run.stderr.strip().splitlines())
    by_source: dict[str, list[dict]] = {}
    for line in lines:
        by_source.setdefault(line["source"], []).append(line)
    with recording.with_suffix(".tsv").open(newline="") as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            result.expected += 1
            found = by_source.get(row["oid"].lstrip("."), [])
            if any(is_same(row["value"], line["value"]) for line in found):
                result.right += 1
                continue
            what = ", ".join(f"{one['point']} = {one['value']} {one['unit']} ({one['quality']})" for one in found)
            result.differences.append(
                f"{row['oid']} {row['class']} {row['value']} \"{row['description']}\": {what or 'not read'}")
    return result


def serve(recordings: list[Path], folder: Path) -> tuple[Process, int]:
    """snmpsimd refuses to run as root, and writes its indices: it gets copies that belong to nobody."""
    data, cache = folder / "data", folder / "cache"
    for made in (data, cache):
        made.mkdir()
    for recording in recordings:
        shutil.copy(recording, data / recording.name)
    arguments: list[str | Path] = []
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        # In this order the kernel keeps its promise to end it with us; snmpsimd's own change of user breaks it.
        arguments += [program("setpriv"), "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig", "KILL"]
    port = free_port(socket.SOCK_DGRAM)
    arguments += [program("snmpsimd"), f"--data-dir={data}", f"--cache-dir={cache}", "--logging-method=null",
                  f"--agent-udpv4-endpoint=127.0.0.1:{port}"]
    return Process("snmpsimd", arguments, folder / "snmpsimd.log").start(), port


def wait_until_served(port: int, recordings: list[Path]) -> None:
    """It indexes every recording before it answers."""
    wait_until(lambda: subprocess.run(
        [program("snmpget"), "-v2c", "-t1", "-r0", "-c", recordings[-1].stem, f"127.0.0.1:{port}",
         "1.3.6.1.2.1.1.2.0"], capture_output=True).returncode == 0, 300, "snmpsimd to have indexed the recordings")


def main() -> int:
    folder = os.environ.get("WATCHROOM_RECORDINGS")
    if not folder:
        print("skipped: WATCHROOM_RECORDINGS names no folder of recordings")
        return SKIPPED
    recordings = sorted(Path(folder).glob("*.snmprec"))
    if len(sys.argv) > 1:
        recordings = [one for one in recordings if one.stem in sys.argv[1:]]
    if not recordings:
        print(f"no recording in {folder}", file=sys.stderr)
        return 2
    agent = Path(os.environ["WATCHROOM_BIN_DIR"]) / "watchroom-agent"
    profiles = Path(__file__).resolve().parents[2] / "agent" / "profiles"
    with tempfile.TemporaryDirectory(prefix="watchroom-corpus-") as scratch:
        os.chmod(scratch, 0o755)
        simulator, port = serve(recordings, Path(scratch))
        try:
            wait_until_served(port, recordings)
            with ThreadPoolExecutor(max_workers=2) as pool:
                results = list(pool.map(lambda one: probe(agent, profiles, port, one), recordings))
        finally:
            simulator.stop()
    for result in results:
        print(f"{result.share:6.1%} {result.right:4}/{result.expected:<4} {result.points:5} points  {result.name}: "
              f"{result.profiles}")
        if len(sys.argv) > 1 or result.share < WANTED_MEAN:
            for difference in result.differences[:None if len(sys.argv) > 1 else 5]:
                print(f"         {difference}")
    mean = sum(result.share for result in results) / len(results)
    print(f"mean over {len(results)} devices: {mean:.1%}")
    return 0 if mean >= WANTED_MEAN else 1


if __name__ == "__main__":
    sys.exit(main())
