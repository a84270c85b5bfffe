"""Writes the figures of many recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from maie_cli.align.rows import Row, as_csv, as_json, total
from maie_cli.align.texts import Wanted
from maie_cli.at_once import Ended
from maie_cli.files import ResultFolder
from maie_formats.clean import plain


def write_figures(ended: Sequence[Ended[Row]], wanted: Sequence[Wanted], output: Path) -> str:
    """Writes `readings.csv` and `readings.json` in the order of the table; gives a sentence.

    Raises:
        ResultError: They cannot be written.
    """
    order = {plain(each.recording): place for place, each in enumerate(wanted)}
    rows = sorted((each.row for each in ended), key=lambda row: order[row.recording])
    files = ResultFolder(output)
    files.put("readings.csv", as_csv(rows).encode(errors="replace"))
    files.put("readings.json", as_json(rows).encode(errors="replace"))
    failed, before = sum(bool(row.error) for row in rows), sum(each.before for each in ended)
    sums = total(rows)
    return (
        f"{len(rows)} of {len(wanted)} recordings, {failed} failed, {before} done before; "
        f"{sums.correct} of {sums.words} words correct, {sums.words_correct_per_minute:.0f} a "
        f"minute; see {output / 'readings.csv'}"
    )
