# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Watchroom authors
"""Measures the product. A bench is a file in tools/benches with `DESCRIPTION` and `measure(workspace, progress)`.

tools/bench list                  names and one line each
tools/bench NAME [--runs N]       progress on stderr; the last line on stdout is JSON: the median of each
                                  figure over the runs, and under "spread" its least and greatest
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

BENCHES = Path(__file__).resolve().parent
REPOSITORY = BENCHES.parents[1]


def names() -> list[str]:
    return sorted(path.stem for path in BENCHES.glob("*.py") if not path.stem.startswith("__"))


def description(name: str) -> str:
    """Read, not imported: listing needs nothing of what a bench needs."""
    for statement in ast.parse((BENCHES / f"{name}.py").read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DESCRIPTION":
            return str(ast.literal_eval(statement.value))
    raise ValueError(f"tools/benches/{name}.py has no DESCRIPTION")


def load(name: str) -> ModuleType:
    return importlib.import_module(f"benches.{name}")


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def build() -> Path:
    """Figures are those of the release build."""
    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", "--preset", "release", "--target", "programs"]):
        progress(f"bench: {' '.join(command)}")
        subprocess.run(command, cwd=REPOSITORY, stdout=sys.stderr, check=True)
    return REPOSITORY / "build-release" / "bin"


def combine(runs: list[dict[str, float]]) -> dict[str, object]:
    keys = list(dict.fromkeys(key for run in runs for key in run))
    values = {key: [run[key] for run in runs if key in run] for key in keys}
    result: dict[str, object] = {key: round(statistics.median(found), 3) for key, found in values.items()}
    result["spread"] = {key: [round(min(found), 3), round(max(found), 3)] for key, found in values.items()}
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="'list' or the name of a bench")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--bin-dir", type=Path, help="measure these programs instead of building a release")
    options = parser.parse_args()
    if options.name == "list":
        for name in names():
            print(f"{name:<16}{description(name)}")
        return 0
    if options.name not in names():
        parser.error(f"no bench '{options.name}'; there are: {' '.join(names())}")
    bench = load(options.name)
    os.environ["WATCHROOM_BIN_DIR"] = str((options.bin_dir or build()).resolve())
    runs = []
    for number in range(1, options.runs + 1):
        workspace = Path(tempfile.mkdtemp(prefix="watchroom-bench-"))
        began = time.monotonic()
        progress(f"bench {options.name}: run {number} of {options.runs}")
        try:
            runs.append(bench.measure(workspace, progress))
        except BaseException:
            progress(f"logs and data are kept in {workspace}")
            raise
        progress(f"bench {options.name}: run {number} took {time.monotonic() - began:.1f} s: {runs[-1]}")
        shutil.rmtree(workspace, ignore_errors=True)
    print(json.dumps({"bench": options.name, "runs": len(runs)} | combine(runs)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
