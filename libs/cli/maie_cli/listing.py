"""Lists for a terminal of any width: a table if it fits, or else records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

# Between two columns.
GAP = 2


@dataclass(kw_only=True, frozen=True, slots=True)
class Field:
    """A column of a list.

    Attributes:
        header: Its title.
        least: The columns that it needs; None if its values must stay on one
            line, such as an id to copy into the next command.
    """

    header: str
    least: int | None = None


class Listing:
    """A list that loses nothing on a narrow terminal; print it with `print_listing`.

    Args:
        fields: The columns; the first names a row.
        rows: The values of each row.
    """

    def __init__(self, fields: Sequence[Field], rows: Sequence[Sequence[str]]) -> None:
        self._fields = fields
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._least_width() <= options.max_width:
            yield self._table()
        else:
            for row in self._rows:
                yield from self._record(row)

    def _least_width(self) -> int:
        widths = zip(self._fields, zip(*self._rows, strict=True), strict=True)
        taken = sum(_least(field, values) for field, values in widths) if self._rows else 0
        # Rich reserves a gap on each side.
        return taken + GAP * (len(self._fields) + 1)

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
        for at, field in enumerate(self._fields):
            least = _least(field, [row[at] for row in self._rows])
            table.add_column(
                field.header, min_width=least, no_wrap=field.least is None, overflow="fold"
            )
        for row in self._rows:
            table.add_row(*map(Text, row))
        return table

    def _record(self, row: Sequence[str]) -> Iterator[Text]:
        yield Text(row[0], style="bold")
        for field, value in list(zip(self._fields, row, strict=True))[1:]:
            if value:
                yield Text.assemble((f"  {field.header}: ", "dim"), value)


def print_listing(console: Console, listing: Listing) -> None:
    """Prints a list whose lines are wrapped by the terminal and never cut."""
    console.print(listing, soft_wrap=True)


def _least(field: Field, values: Sequence[str]) -> int:
    widest = max(map(cell_len, (field.header, *values)))
    return widest if field.least is None else min(field.least, widest)
