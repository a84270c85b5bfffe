"""Fuzzes all parsers, the media intake and all RPCs, and prints what came of it; `make fuzz`.

Parsers are fuzzed with atheris, each for some seconds in a process of its own; where atheris has
no wheel, with random mutations of good inputs. Damaged recordings and random messages go through a
whole mesh. It ends with 1 where anything crashed; the input is left in .cache/fuzz.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import time
import traceback
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.mutations import MUTATIONS
from tests.fuzz.targets import TARGETS, Target

FOLDER = Path(".cache/fuzz")
RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
MESH_TESTS = ("tests/attacks/test_mutated_recordings.py", "tests/attacks/test_random_messages.py")
Row = tuple[str, str, int, int]


class Counter:
    """A plugin of pytest that keeps what the tests around a mesh counted."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes a test's inputs, and whether it failed."""
        counted = dict(report.user_properties).get("inputs")
        if report.when == "call" or report.failed:
            name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
            self.rows.append((name, "mesh", int(str(counted or 0)), int(report.failed)))


def guided(name: str, seconds: int) -> Row:
    """Fuzzes one target with atheris."""
    folder = FOLDER / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(folder), str(seconds)]
    done = subprocess.run(command, capture_output=True, check=False)
    output = done.stderr.decode(errors="replace")
    (folder / "log").write_text(done.stdout.decode(errors="replace") + output)
    found = RUNS.search(output)
    if done.returncode:
        print(f"{name}: see {folder}/log", file=sys.stderr)
    return name, "atheris", int(found[1]) if found else 0, int(done.returncode != 0)


def unguided(name: str, target: Target, seconds: int) -> Row:
    """Fuzzes one target with mutations of its seeds."""
    chance, end, inputs = random.Random(), time.monotonic() + seconds, 0
    seeds = [seed or bytes(64) for seed in target.seeds()]
    while time.monotonic() < end:
        data = chance.choice(seeds)
        for _ in range(chance.randint(1, 4)):
            data = chance.choice(MUTATIONS)(data, chance) or bytes(64)
        inputs += 1
        try:
            target.run(data)
        except Exception:  # noqa: BLE001 - whatever it is, it is a defect
            traceback.print_exc()
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / f"{name.replace(' ', '-')}.crash").write_bytes(data)
            return name, "random", inputs, 1
    return name, "random", inputs, 0


def around_a_mesh(inputs: int) -> list[Row]:
    """Sends damaged recordings and random messages to a mesh."""
    os.environ["FUZZ_INPUTS"] = str(inputs)
    counter = Counter()
    code = pytest.main(["-q", "-m", "slow or not slow", *MESH_TESTS], plugins=[counter])
    return counter.rows or [("mesh", "mesh", 0, int(code != 0))]


def main() -> int:
    """Fuzzes and prints; gives the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="for each parser")
    parser.add_argument("--inputs", type=int, default=600, help="for the mesh, of each kind")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="only these")
    options = parser.parse_args()
    rows: list[Row] = []
    has_atheris = find_spec("atheris") is not None
    if not has_atheris:
        print("atheris has no wheel for this Python: inputs are mutated at random instead")
    for name in options.target or TARGETS:
        row = (
            guided(name, options.seconds)
            if has_atheris
            else unguided(name, TARGETS[name], options.seconds)
        )
        rows.append(row)
    if not options.target and options.inputs:
        rows += around_a_mesh(options.inputs)
    print(f"\n{'target':<52}{'by':<9}{'inputs':>10}{'crashes':>9}\n{'-' * 80}")
    for name, how, inputs, crashes in rows:
        print(f"{name[:51]:<52}{how:<9}{inputs:>10,}{crashes:>9}")
    print("-" * 80)
    total, crashed = sum(row[2] for row in rows), sum(row[3] for row in rows)
    print(f"{'all':<61}{total:>10,}{crashed:>9}")
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main())
