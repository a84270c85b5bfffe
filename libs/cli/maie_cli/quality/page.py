"""A page with the quality of many recordings: how it is distributed, over time, and the worst ten.

It needs no network and no script, and is light or dark as the reader's system is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from maie_formats.quality.drawing import HEIGHT, HIGHEST, LOWEST, WIDTH, curve, figure, whole_page
from maie_formats.quality.rows import Row

WORST: Final = 10
_BINS: Final = 16
_Column = tuple[str, str, str]
# Those of engines that rate more than the whole sound.
_PARTIAL: Final[tuple[_Column, ...]] = (
    ("speech", "speech", ".2f"),
    ("background", "background", ".2f"),
)
_COLUMNS: Final[tuple[_Column, ...]] = (
    ("overall", "overall", ".2f"),
    *_PARTIAL,
    ("speech over noise, dB", "snr_db", ".1f"),
    ("loudness, LUFS", "loudness_lufs", ".1f"),
    ("clipping", "clipping_ratio", ".4f"),
    ("silence", "silence_share", ".0%"),
    ("bandwidth, Hz", "bandwidth_hertz", "d"),
    ("fades in, s", "reverberation_seconds", ".2f"),
    ("echo after, s", "echo_seconds", ".2f"),
)


def page(rows: Sequence[Row], broken: Mapping[str, Sequence[str]], folder: Path) -> str:
    """The page.

    Args:
        rows: The recordings.
        broken: What recordings do not keep, by their files.
        folder: Where the page will be, from which it plays the recordings.
    """
    rated = sorted((row for row in rows if row.overall is not None), key=_overall)
    body = [
        "<h1>Quality of recordings</h1>",
        f"<p>{_summary(rows, rated, broken)}</p>",
        "<h2>How the scores are distributed</h2>",
        _distribution(rated),
        f"<h2>The worst {min(WORST, len(rated))}</h2>" if rated else "",
        *(_worst(row, broken.get(row.file, ()), folder) for row in rated[:WORST]),
        "<h2>All recordings</h2>",
        _table(rows, broken),
    ]
    return whole_page("Quality of recordings", body)


def _overall(row: Row) -> float:
    return row.overall or 0.0


def _summary(rows: Sequence[Row], rated: Sequence[Row], broken: Mapping[str, Sequence[str]]) -> str:
    failed = sum(bool(row.error) for row in rows)
    words = [f"{len(rows)} recordings, {len(rated)} with speech"]
    if rated:
        words.append(f"overall {sum(map(_overall, rated)) / len(rated):.2f} of 5 in the mean")
    if failed:
        words.append(f"{failed} without figures")
    words.append(f"{len(broken)} outside the limits" if broken else "all within the limits")
    models = sorted({f"{row.model} on {row.device}" for row in rated})
    by = f" Rated by {escape(', '.join(models))}." if models else ""
    return f"{'; '.join(words)}.{by}"


def _distribution(rated: Sequence[Row]) -> str:
    counts = [0] * _BINS
    for row in rated:
        place = int((_overall(row) - LOWEST) / (HIGHEST - LOWEST) * _BINS)
        counts[min(max(place, 0), _BINS - 1)] += 1
    most = max(counts) or 1
    width = WIDTH / _BINS
    bars = "".join(
        f'<rect class="bar" x="{place * width + 1:.1f}" y="{HEIGHT * (1 - count / most):.1f}" '
        f'width="{width - 2:.1f}" height="{HEIGHT * count / most:.1f}">'
        f"<title>{count}</title></rect>"
        for place, count in enumerate(counts)
    )
    return figure(bars + _scale(), f"Recordings by their overall score; the highest bar is {most}.")


def _scale() -> str:
    """The scores below the bars."""
    return "".join(
        f'<text x="{(score - LOWEST) / (HIGHEST - LOWEST) * WIDTH:.0f}" y="{HEIGHT + 16}" '
        f'text-anchor="{_anchor(score)}">{score:g}</text>'
        for score in (1, 2, 3, 4, 5)
    )


def _anchor(score: float) -> str:
    return {LOWEST: "start", HIGHEST: "end"}.get(score, "middle")


def _worst(row: Row, broken: Sequence[str], folder: Path) -> str:
    path = os.path.relpath(row.file, folder)
    parts = [
        f"<article><h3>{escape(row.file)}: {_overall(row):.2f}</h3>",
        *(f'<p class="bad">{escape(each)}</p>' for each in broken),
        *(f"<p>{escape(each)}</p>" for each in row.warnings),
        curve(row.moments),
        f'<audio controls preload="none" src="{escape(quote(path), quote=True)}"></audio>',
        "</article>",
    ]
    return "".join(parts)


def _table(rows: Sequence[Row], broken: Mapping[str, Sequence[str]]) -> str:
    columns = [each for each in _COLUMNS if _is_shown(each, rows)]
    head = "".join(f"<th>{escape(title)}</th>" for title, _, _ in columns)
    lines = "".join(
        f"<tr{_mark(row, broken)}><td>{escape(row.file)}</td>{_cells(row, columns)}</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr><th>recording</th>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _is_shown(column: _Column, rows: Sequence[Row]) -> bool:
    """Whether a column is shown: a score that no engine gave is not."""
    return column not in _PARTIAL or any(getattr(row, column[1]) is not None for row in rows)


def _mark(row: Row, broken: Mapping[str, Sequence[str]]) -> str:
    return ' class="bad"' if row.file in broken else ""


def _cells(row: Row, columns: Sequence[_Column]) -> str:
    if row.error:
        return f'<td colspan="{len(columns)}">{escape(row.error)}</td>'
    values = ((getattr(row, name), form) for _, name, form in columns)
    return "".join(
        f"<td>{'–' if value is None else format(value, form)}</td>" for value, form in values
    )
