"""What pages of the quality of recordings are made of: their frame, and scores over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from maie_formats.quality.rows import Moment

# Of scores.
LOWEST, HIGHEST = 1.0, 5.0
# Of a figure, in its own units.
WIDTH, HEIGHT = 640, 160
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
# A page shows text and figures, and plays recordings that lie beside it; it runs nothing.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self' file:"


def whole_page(title: str, body: Iterable[str]) -> str:
    """A page of these parts, which are HTML; the title is text."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body></html>\n"
    )


def figure(content: str, caption: str) -> str:
    """A figure of SVG content, with its caption, which is text."""
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT + 20}" role="img" '
        f'aria-label="{escape(caption, quote=True)}">'
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{HEIGHT}" y2="{HEIGHT}"/>{content}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def curve(moments: Sequence[Moment]) -> str:
    """The overall score over time; empty where there are fewer than two moments."""
    if len(moments) < 2:
        return ""
    first, last = moments[0], moments[-1]
    length = max(last.end - first.start, 1e-9)
    points = " ".join(
        f"{((each.start + each.end) / 2 - first.start) / length * WIDTH:.1f},"
        f"{HEIGHT * (1 - (each.overall - LOWEST) / (HIGHEST - LOWEST)):.1f}"
        for each in moments
    )
    caption = f"The overall score, 1 to 5, over {length:.0f} seconds."
    scale = f'<text x="0" y="12">5</text><text x="0" y="{HEIGHT - 4}">1</text>'
    return figure(f'<polyline class="curve" points="{points}"/>{scale}', caption)
