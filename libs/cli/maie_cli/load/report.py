"""Prints the figures of a load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.bar import Bar
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from maie_cli.load.result import Kind, Result
from maie_cli.top.figures import NOTHING, age, rate
from maie_formats.clean import plain

# Of a terminal of 80 columns; the rest is for the figures beside the bars.
BAR_COLUMNS = 40
GAP = 2

Row = tuple[str, float, Sequence[str]]
"""A row of a chart: its label, the length of its bar and the figures behind that."""


def print_result(console: Console, result: Result, kind: Kind) -> None:
    """Prints totals, latencies, plots, errors and notices."""
    for number, part in enumerate(_parts(console, result, kind)):
        if number:
            console.print()
        console.print(part)


def latency(seconds: float) -> str:
    """A latency in few characters, such as "604 ms", "1.25 s" or "3:05"."""
    milliseconds = round(seconds * 1000)
    if abs(milliseconds) < 1000:
        return f"{milliseconds} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 60 else age(seconds)


def _parts(console: Console, result: Result, kind: Kind) -> Iterator[RenderableType]:
    yield _totals(result)
    if result.latencies:
        yield _latencies(result)
    if result.distribution:
        yield _distribution(console, result, kind)
    if len(result.course) > 1:
        yield _course(console, result, kind)
    if result.errors:
        yield _errors(result)
    if result.notices:
        yield _notices(result)


def _totals(result: Result) -> RenderableType:
    """Whose figures they are, what became of all, and the throughput."""
    many = f"{result.count} {result.kind}{'s' * (result.count != 1)}"
    ended = [(f"{result.complete} complete", "bold")]
    ended += [(f"{result.failed} failed", "bold red")] if result.failed else []
    ended += [(f"{result.cancelled} cancelled", "yellow")] if result.cancelled else []
    ended += [(f"{result.left} left running", "yellow")] if result.left else []
    ended += [(f"{result.not_begun} not begun", "yellow")] if result.not_begun else []
    return Text("\n").join(
        [
            Text(f"{many} of {plain(result.recording)}, {result.at_once} at a time", "bold cyan"),
            Text.assemble(
                Text(", ").join(Text(*each) for each in ended), f" in {age(result.seconds)}"
            ),
            Text.assemble(
                (f"{age(result.audio_seconds)} of audio, ", "dim"),
                (f"{rate(result.audio_hours_per_hour)} hours of audio per hour", "bold"),
            ),
        ]
    )


def _latencies(result: Result) -> Table:
    table = _table("")
    for title in ("mean", "p50", "p90", "p99", "max", "values"):
        table.add_column(title, justify="right", no_wrap=True)
    for measure, of in result.latencies.items():
        figures = (of.mean, of.p50, of.p90, of.p99, of.max)
        table.add_row(measure.words, *map(latency, figures), str(of.count))
    return table


def _distribution(console: Console, result: Result, kind: Kind) -> Table:
    """How many took how long."""
    rows = [
        (latency(each.from_seconds), float(each.count), (str(each.count),))
        for each in result.distribution
    ]
    return _chart(console, (f"{kind.main.words} from", kind.drawn), rows)


def _course(console: Console, result: Result, kind: Kind) -> Table:
    """How long they took in the course of the load."""
    rows = [
        (
            age(each.from_seconds),
            each.p90 or 0.0,
            (NOTHING if each.p90 is None else latency(each.p90), str(each.count)),
        )
        for each in result.course
    ]
    return _chart(console, ("time from", f"{kind.main.words} p90", kind.drawn), rows)


def _chart(console: Console, titles: Sequence[str], rows: Sequence[Row]) -> Table:
    """A bar for each row; the longest fills its column."""
    label, *figures = titles
    table = _table(label, justify="right")
    table.add_column("", no_wrap=True, width=BAR_COLUMNS)
    for title in figures:
        table.add_column(title, justify="right", no_wrap=True)
    most = max(length for _, length, _ in rows)
    for name, length, texts in rows:
        table.add_row(name, _bar(console, length / most if most > 0 else 0.0), *texts)
    return table


def _bar(console: Console, part: float) -> RenderableType:
    """A bar that is a part of its column, of characters that the output has."""
    if console.options.ascii_only:
        return Text("#" * round(BAR_COLUMNS * part), "cyan")
    return Bar(1.0, 0.0, part, width=BAR_COLUMNS, color="cyan")


def _errors(result: Result) -> Table:
    table = _table("errors", justify="right")
    table.add_column("reason", style="red", overflow="fold")
    table.add_column("such as", overflow="fold")
    for each in result.errors:
        table.add_row(str(each.count), plain(each.reason), plain(each.message))
    return table


def _notices(result: Result) -> Table:
    table = _table("notices", justify="right")
    table.add_column("", style="yellow", overflow="fold")
    for name, count in sorted(result.notices.items(), key=lambda each: -each[1]):
        table.add_row(str(count), plain(name))
    return table


def _table(first: str, *, justify: JustifyMethod = "left") -> Table:
    """A table with its first column."""
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(first, justify=justify, no_wrap=True)
    return table
