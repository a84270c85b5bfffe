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

from maie_cli.quality.rows import Moment, Row

WORST: Final = 10
_BINS: Final = 16
_LOWEST, _HIGHEST = 1.0, 5.0
_WIDTH, _HEIGHT = 640, 160
_STYLE: Final = """
:root {
  color-scheme: light dark;
  --text: light-dark(#1c1b19, #eceae5);
  --back: light-dark(#fff, #1a1917);
  --quiet: light-dark(#5d5a54, #aaa69d);
  --line: light-dark(#d8d4cb, #3b3934);
  --bar: light-dark(#2f6b4f, #7fc7a1);
  --bad: light-dark(#a3341f, #f0937e);
}
body {
  font: 16px/1.5 system-ui, sans-serif;
  color: var(--text);
  background: var(--back);
  margin: 2rem auto;
  max-width: 60rem;
  padding: 0 1rem;
}
h1 { font-size: 1.5rem; }
h2 { font-size: 1.15rem; margin-top: 2.5rem; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p, figcaption { color: var(--quiet); }
figure { margin: 1rem 0; }
svg { width: 100%; height: auto; }
text { fill: var(--quiet); font-size: 12px; }
.bar { fill: var(--bar); }
.axis { stroke: var(--line); }
.curve { fill: none; stroke: var(--bar); stroke-width: 2; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
.bad { color: var(--bad); }
article { border-top: 1px solid var(--line); padding: 1rem 0; }
audio { width: 100%; margin-top: .5rem; }
"""
_COLUMNS: Final[tuple[tuple[str, str, str], ...]] = (
    ("overall", "overall", ".2f"),
    ("speech", "speech", ".2f"),
    ("background", "background", ".2f"),
    ("speech over noise, dB", "snr_db", ".1f"),
    ("loudness, LUFS", "loudness_lufs", ".1f"),
    ("clipping", "clipping_ratio", ".4f"),
    ("silence", "silence_share", ".0%"),
    ("bandwidth, Hz", "bandwidth_hertz", "d"),
    ("fades in, s", "reverberation_seconds", ".2f"),
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
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Quality of recordings</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


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
        place = int((_overall(row) - _LOWEST) / (_HIGHEST - _LOWEST) * _BINS)
        counts[min(max(place, 0), _BINS - 1)] += 1
    most = max(counts) or 1
    width = _WIDTH / _BINS
    bars = "".join(
        f'<rect class="bar" x="{place * width + 1:.1f}" y="{_HEIGHT * (1 - count / most):.1f}" '
        f'width="{width - 2:.1f}" height="{_HEIGHT * count / most:.1f}">'
        f"<title>{count}</title></rect>"
        for place, count in enumerate(counts)
    )
    return _figure(
        bars + _scale(), f"Recordings by their overall score; the highest bar is {most}."
    )


def _scale() -> str:
    """The scores below the bars."""
    return "".join(
        f'<text x="{(score - _LOWEST) / (_HIGHEST - _LOWEST) * _WIDTH:.0f}" y="{_HEIGHT + 16}" '
        f'text-anchor="{_anchor(score)}">{score:g}</text>'
        for score in (1, 2, 3, 4, 5)
    )


def _anchor(score: float) -> str:
    return {_LOWEST: "start", _HIGHEST: "end"}.get(score, "middle")


def _figure(content: str, caption: str) -> str:
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT + 20}" role="img" '
        f'aria-label="{escape(caption, quote=True)}">'
        f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>{content}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _worst(row: Row, broken: Sequence[str], folder: Path) -> str:
    path = os.path.relpath(row.file, folder)
    parts = [
        f"<article><h3>{escape(row.file)}: {_overall(row):.2f}</h3>",
        *(f'<p class="bad">{escape(each)}</p>' for each in broken),
        *(f"<p>{escape(each)}</p>" for each in row.warnings),
        _curve(row.moments),
        f'<audio controls preload="none" src="{escape(quote(path), quote=True)}"></audio>',
        "</article>",
    ]
    return "".join(parts)


def _curve(moments: Sequence[Moment]) -> str:
    if len(moments) < 2:
        return ""
    first, last = moments[0], moments[-1]
    length = max(last.end - first.start, 1e-9)
    points = " ".join(
        f"{((each.start + each.end) / 2 - first.start) / length * _WIDTH:.1f},"
        f"{_HEIGHT * (1 - (each.overall - _LOWEST) / (_HIGHEST - _LOWEST)):.1f}"
        for each in moments
    )
    caption = f"The overall score, 1 to 5, over {length:.0f} seconds."
    scale = f'<text x="0" y="12">5</text><text x="0" y="{_HEIGHT - 4}">1</text>'
    return _figure(f'<polyline class="curve" points="{points}"/>{scale}', caption)


def _table(rows: Sequence[Row], broken: Mapping[str, Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title, _, _ in _COLUMNS)
    lines = "".join(
        f"<tr{_mark(row, broken)}><td>{escape(row.file)}</td>{_cells(row)}</tr>" for row in rows
    )
    return (
        f'<div class="scroll"><table><thead><tr><th>recording</th>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _mark(row: Row, broken: Mapping[str, Sequence[str]]) -> str:
    return ' class="bad"' if row.file in broken else ""


def _cells(row: Row) -> str:
    if row.error:
        return f'<td colspan="{len(_COLUMNS)}">{escape(row.error)}</td>'
    values = ((getattr(row, name), form) for _, name, form in _COLUMNS)
    return "".join(
        f"<td>{'–' if value is None else format(value, form)}</td>" for value, form in values
    )
