"""Carries out all attacks and prints what came of each; `make attacks`.

It ends with 1 where an attack did not get its answer, or the mesh did not go on after it, and with
130 where Ctrl-C ends it.
"""

from __future__ import annotations

import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

import pytest

from tests.attacks.table import ATTACKS, Attack

FOLDER = "tests/attacks"
# Together with blanks and borders, 80 columns.
WIDTHS = (2, 27, 20, 21, 4)
HEADS = ("#", "attack", "expected", "what came", "ok")
AFTERWARDS = "Then every part lives and the next job runs."
# What a shell makes of the end by Ctrl-C.
INTERRUPTED = 130


@dataclass(kw_only=True)
class Outcome:
    """What came of an attack.

    Attributes:
        came: What its tests noted.
        passed: The number of tests that passed.
        failed: The tests that failed.
        skipped: The tests that this machine cannot run.
        survived: After how many attacks on the mesh every part lived and the next job ran.
    """

    came: list[str] = field(default_factory=list)
    passed: int = 0
    survived: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def word(self) -> str:
        """The last column."""
        if self.failed or not (self.survived or self.skipped):
            return "FAIL"
        return "yes" if self.survived else "skip"

    def text(self) -> str:
        """What came, in words."""
        said = "; ".join(dict.fromkeys(self.came)) or "nothing"
        return f"{said} ({self.passed} tests). {AFTERWARDS if self.survived else ''}"


class Recorder:
    """A plugin of pytest that keeps the outcomes by attack."""

    def __init__(self) -> None:
        self.outcomes: dict[int, Outcome] = defaultdict(Outcome)
        self.interrupted = False
        self._also = {node: each.number for each in ATTACKS for node in each.also}

    def pytest_keyboard_interrupt(self) -> None:
        """Notes that Ctrl-C ended the tests."""
        self.interrupted = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes a test's outcome once, or each of its phases that failed."""
        properties = dict(report.user_properties)
        number = properties.get("attack") or self._also.get(report.nodeid.split("[")[0])
        if number is None:
            return
        outcome = self.outcomes[int(str(number))]
        if report.failed:
            outcome.failed.append(report.nodeid)
        elif report.skipped:
            outcome.skipped.append(report.nodeid)
        elif report.when == "call":
            outcome.passed += 1
            if came := properties.get("came"):
                outcome.came.append(str(came))
        elif report.when == "teardown":
            outcome.survived += "survived" in properties


def rows(attack: Attack, outcome: Outcome) -> Iterator[str]:
    """The lines of one attack."""
    texts = (str(attack.number), attack.attack, attack.expected, outcome.text(), outcome.word)
    cells = [textwrap.wrap(text, width) for text, width in zip(texts, WIDTHS, strict=True)]
    for line in zip_longest(*cells, fillvalue=""):
        yield _row(line)


def _row(cells: tuple[str, ...]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return "  ".join(padded).rstrip()


def main() -> int:
    """Runs the tests of all attacks and prints the table; gives the exit code."""
    recorder = Recorder()
    nodes = [node for each in ATTACKS for node in each.also]
    # The name of the marker lets slow tests run.
    options = ["-m", "slow or not slow", "-q", "-n", "2", "--max-worker-restart", "0"]
    code = pytest.main([*options, FOLDER, *nodes, *sys.argv[1:]], plugins=[recorder])
    if recorder.interrupted:
        return INTERRUPTED
    report(recorder)
    failed = any(recorder.outcomes[each.number].word == "FAIL" for each in ATTACKS)
    return 1 if failed or code else 0


def report(recorder: Recorder) -> None:
    """Prints the table."""
    print(f"\n{_row(HEADS)}\n{'-' * 80}")
    for attack in ATTACKS:
        print(*rows(attack, recorder.outcomes[attack.number]), "", sep="\n")
    outcomes = [recorder.outcomes[each.number] for each in ATTACKS]
    failed = sum(each.word == "FAIL" for each in outcomes)
    skipped = sum(each.word == "skip" for each in outcomes)
    tests = sum(each.passed for each in outcomes)
    print(
        f"{len(ATTACKS)} attacks, {tests} tests; {failed} without their answer, "
        f"{skipped} that this machine cannot carry out"
    )


if __name__ == "__main__":
    sys.exit(main())
