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
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.mutations import MUTATIONS
from tests.fuzz.targets import TARGETS, Target

FOLDER = Path(".cache/fuzz")
RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
# Hypothesis, which is a plugin of pytest as well, is there already: it came with the targets.
IMPORTED = "ignore::pytest.PytestAssertRewriteWarning"
MESH_OPTIONS = ("-q", "-m", "slow or not slow", "-W", IMPORTED)
MESH_TESTS = ("tests/attacks/test_mutated_recordings.py", "tests/attacks/test_random_messages.py")


@dataclass(kw_only=True, frozen=True, slots=True)
class Row:
    """What came of one kind of inputs.

    Attributes:
        name: What was fuzzed.
        how: By what.
        inputs: How many inputs there were.
        crashes: How many of them crashed it.
        seconds: How long it took.
    """

    name: str
    how: str
    inputs: int
    crashes: int
    seconds: float

    def __str__(self) -> str:
        """A line of 80 columns."""
        counted = f"{self.inputs:>10,}{self.crashes:>9}{self.seconds:>9.0f}"
        return f"{self.name[:42]:<43}{self.how:<9}{counted}"


class Counter:
    """A plugin of pytest that keeps what the tests around a mesh counted."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes a test's inputs, and whether it failed."""
        properties = dict(report.user_properties)
        counted, faults = properties.get("inputs"), properties.get("crashes")
        if report.when == "call" or report.failed:
            name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
            inputs, crashes = int(str(counted or 0)), int(str(faults or int(report.failed)))
            self.rows.append(
                Row(name=name, how="mesh", inputs=inputs, crashes=crashes, seconds=report.duration)
            )


def guided(name: str, seconds: int) -> Row:
    """Fuzzes one target with atheris."""
    folder = FOLDER / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(folder), str(seconds)]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, check=False)
    output = done.stderr.decode(errors="replace")
    (folder / "log").write_text(done.stdout.decode(errors="replace") + output)
    found = RUNS.search(output)
    if done.returncode:
        print(f"{name}: see {folder}/log", file=sys.stderr)
    return Row(
        name=name,
        how="atheris",
        inputs=int(found[1]) if found else 0,
        crashes=int(done.returncode != 0),
        seconds=time.monotonic() - begun,
    )


def unguided(name: str, target: Target, seconds: int) -> Row:
    """Fuzzes one target with mutations of its seeds."""
    chance, begun, inputs, crashes = random.Random(), time.monotonic(), 0, 0
    seeds = [seed or bytes(64) for seed in target.seeds()]
    while not crashes and time.monotonic() < begun + seconds:
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
            crashes = 1
    took = time.monotonic() - begun
    return Row(name=name, how="random", inputs=inputs, crashes=crashes, seconds=took)


def around_a_mesh(recordings: int, messages: int) -> list[Row]:
    """Sends damaged recordings, and random messages to each RPC, to a mesh."""
    os.environ |= {"FUZZ_RECORDINGS": str(recordings), "FUZZ_MESSAGES": str(messages)}
    counter, begun = Counter(), time.monotonic()
    code = pytest.main([*MESH_OPTIONS, *MESH_TESTS], plugins=[counter])
    took = time.monotonic() - begun
    failed = Row(name="mesh", how="mesh", inputs=0, crashes=int(code != 0), seconds=took)
    return counter.rows or [failed]


def main() -> int:
    """Fuzzes and prints; gives the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="for each parser; 0: none")
    parser.add_argument("--recordings", type=int, default=620, help="damaged ones, for a mesh")
    parser.add_argument("--messages", type=int, default=100, help="for each RPC of a mesh")
    parser.add_argument("--target", action="append", choices=sorted(TARGETS), help="only these")
    options = parser.parse_args()
    rows: list[Row] = []
    has_atheris = find_spec("atheris") is not None
    if not has_atheris:
        print("atheris has no wheel for this Python: inputs are mutated at random instead")
    for name in options.target or TARGETS if options.seconds else ():
        row = (
            guided(name, options.seconds)
            if has_atheris
            else unguided(name, TARGETS[name], options.seconds)
        )
        rows.append(row)
    if not options.target and options.recordings and options.messages:
        rows += around_a_mesh(options.recordings, options.messages)
    report(rows)
    return 1 if any(row.crashes for row in rows) else 0


def report(rows: list[Row]) -> None:
    """Prints the table."""
    heads = f"{'inputs':>10}{'crashes':>9}{'seconds':>9}"
    print(f"\n{'target':<43}{'by':<9}{heads}\n{'-' * 80}")
    print(*rows, "-" * 80, sep="\n")
    inputs, crashes = sum(row.inputs for row in rows), sum(row.crashes for row in rows)
    seconds = sum(row.seconds for row in rows)
    print(Row(name="all", how="", inputs=inputs, crashes=crashes, seconds=seconds))


if __name__ == "__main__":
    sys.exit(main())
