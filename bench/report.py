"""What a measurement gave: a table for people, or one JSON object with --json."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich import box
from rich.console import Console
from rich.table import Table


def _logs_apart(as_json: bool) -> bool:
    """Standard output is the report's; what is measured logs to standard error."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    return as_json


JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object.", callback=_logs_apart)
]

_MARKS = {True: "[green]kept[/]", False: "[red]missed[/]", None: ""}


@dataclass(kw_only=True, frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes:
        name: What was measured.
        value: The figure.
        unit: Its unit; empty for a ratio.
        at_most: The promise, where there is one; the figure may not exceed it.
        at_least: The promise, where there is one; the figure may not fall below it.
    """

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def kept(self) -> bool | None:
        """Whether the promise was kept; None where nothing was promised."""
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    @property
    def promise(self) -> str:
        """The promise in words."""
        if self.at_most is not None:
            return f"at most {self.at_most:g} {self.unit}".rstrip()
        if self.at_least is not None:
            return f"at least {self.at_least:g} {self.unit}".rstrip()
        return ""


@dataclass(kw_only=True, frozen=True)
class Report:
    """A measurement and where it was made.

    Attributes:
        bench: The name of the script.
        measured: One sentence: what the figures are figures of.
        settings: What was chosen, by name.
        figures: The figures, in order.
        machine: Where it was measured, by name.
    """

    bench: str
    measured: str
    settings: Mapping[str, object]
    figures: Sequence[Figure]
    machine: Mapping[str, object] = field(default_factory=lambda: machine())

    def print(self, as_json: bool) -> None:
        """Prints the report to standard output."""
        if as_json:
            shown = asdict(self)
            for entry, figure in zip(shown["figures"], self.figures, strict=True):
                entry["kept"] = figure.kept
            print(json.dumps(shown))
        else:
            self._print_table()

    def _print_table(self) -> None:
        table = Table("figure", "measured", "promise", "", box=box.SIMPLE_HEAD)
        for figure in self.figures:
            measured = f"{figure.value:.4g} {figure.unit}".rstrip()
            table.add_row(figure.name, measured, figure.promise, _MARKS[figure.kept])
        console = Console()
        console.print(self.measured)
        console.print(_line(self.settings), style="dim")
        console.print(_line(self.machine), style="dim")
        console.print(table)


def machine() -> dict[str, object]:
    """The machine that this runs on, and how busy others keep it."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu_model(),
        "load_average_1min": round(os.getloadavg()[0], 2),
    }


def note(line: str) -> None:
    """Prints the progress of the measurement on standard error."""
    Console(stderr=True, highlight=False).print(f"· {line}", style="dim")


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"


def _line(values: Mapping[str, object]) -> str:
    return " · ".join(f"{name.replace('_', ' ')}: {value}" for name, value in values.items())
