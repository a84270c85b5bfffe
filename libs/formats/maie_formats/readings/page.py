"""A web page of a reading: figures, the text with what became of each word, and a player.

It needs no network, works from a file, and is light or dark as the reader's system is.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_formats.clean import plain
from maie_formats.readings.report import (
    LABELS,
    ReadingReport,
    class_of,
    differing,
    figures,
    pieces,
    span,
)
from maie_formats.transcript import clock

_HELP: Final = (
    "Choose a word to see what is known of it{play}. Arrow keys move between words; Enter chooses."
)


def page(report: ReadingReport) -> str:
    """The page."""
    title = f"Reading of {plain(report.name) or 'a text'}"
    style, script = _file("page.css"), _file("page.js")
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; media-src 'self' file: data: blob:; "
        f"script-src 'sha256-{_digest(script)}'"
    )
    body = [
        f"<h1>{escape(title)}</h1>",
        _figures(report),
        "<h2>The text as it was read</h2>",
        _legend(report),
        f"<p>{_HELP.format(play=', and to hear it' if report.audio else '')}</p>",
        _player(report),
        f'<div class="read" dir="auto">{"".join(_read(report))}</div>',
        _differing(report),
        _made_by(report.reading),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{escape(title)}</title><style>\n{style}</style></head><body>\n"
        + "\n".join(part for part in body if part)
        + f"\n<script>{script}</script></body></html>\n"
    )


@cache
def _file(name: str) -> str:
    return files("maie_formats.readings").joinpath(name).read_text("utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _figures(report: ReadingReport) -> str:
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in figures(report).items()
    )
    return f'<dl class="figures">{cells}</dl>'


def _legend(report: ReadingReport) -> str:
    there = {class_of(word) for word in report.reading.words}
    entries = [
        f'<li><span class="word {kind}">word</span> {escape(label)}</li>'
        for kind, label in LABELS.items()
        if kind in there
    ]
    if report.reading.figures.hesitations:
        entries.append('<li><span class="pause">‖0.8 s‖</span> pause without punctuation</li>')
    return f'<ul class="legend" aria-label="Marks">{"".join(entries)}</ul>'


def _player(report: ReadingReport) -> str:
    details = '<p class="details" aria-live="polite"></p>'
    if not report.audio:
        return f'<div class="player">{details}</div>'
    source = escape(report.audio, quote=True)
    return (
        f'<div class="player"><audio controls preload="metadata" src="{source}"></audio>'
        f'<label><input type="checkbox" id="go-on"> go on after the word</label>{details}</div>'
    )


def _read(report: ReadingReport) -> Iterator[str]:
    number = 0
    for piece in pieces(report):
        if isinstance(piece, alignment.ReadWord):
            yield _word(piece, number)
            number += 1
        elif isinstance(piece, str):
            yield escape(piece)
        elif piece.hesitation:
            start, end = span(piece.range)
            yield f'<span class="pause">‖{end - start:.1f} s‖</span> '


def _word(word: alignment.ReadWord, number: int) -> str:
    kind, text = class_of(word), escape(plain(word.text))
    known = escape(_known(word), quote=True)
    times = ""
    if word.HasField("range"):
        start, end = span(word.range)
        times = f' data-start="{start:.3f}" data-end="{end:.3f}"'
    label = "" if kind == "correct" else f' aria-label="{escape(_spoken_label(word), quote=True)}"'
    return (
        f'<span role="button" tabindex="-1" id="w{number}" class="word {kind}" title="{known}"'
        f"{label}{times}>{text}</span>"
    )


def _spoken_label(word: alignment.ReadWord) -> str:
    heard = f": {plain(word.heard)}" if word.heard else ""
    return f"{plain(word.text)}, {_label(word)}{heard}"


def _label(word: alignment.ReadWord) -> str:
    return LABELS.get(class_of(word), "not known")


def _known(word: alignment.ReadWord) -> str:
    """What is known of a word, as a sentence."""
    parts = [_spoken_label(word)]
    if word.HasField("range"):
        parts.append("{:.2f} to {:.2f} s".format(*span(word.range)))
    if word.HasField("score"):
        parts.append(f"score {word.score:.2f}")
    if word.phones:
        sounds = " ".join(f"{plain(each.symbol)} {each.score:.2f}" for each in word.phones)
        parts.append(f"sounds {sounds}{' (pronunciation guessed)' if word.guessed else ''}")
    return "; ".join(parts)


def _differing(report: ReadingReport) -> str:
    rows = "".join(_row(number, word) for number, word in differing(report))
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in ("time", "word", "what", "heard", "score"))
    return (
        '<h2>Words to look at</h2><div class="scroll"><table class="differing">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _row(number: int, word: alignment.ReadWord) -> str:
    cells = (
        clock(span(word.range)[0]) if word.HasField("range") else "–",
        plain(word.text),
        _label(word),
        plain(word.heard) or "–",
        f"{word.score:.2f}" if word.HasField("score") else "–",
    )
    time, text, *others = map(escape, cells)
    button = f'<button type="button" data-word="w{number}">{text}</button>'
    return (
        f"<tr><td>{time}</td><td>{button}</td>{''.join(f'<td>{each}</td>' for each in others)}</tr>"
    )


def _made_by(reading: alignment.Reading) -> str:
    engines = [
        plain(f"{engine.engine} {engine.model_name} {engine.checkpoint_sha256[:12]}")
        for engine in (reading.engine, reading.asr_engine)
        if engine.engine
    ]
    return f"<p>Made by {escape(', '.join(engines))}.</p>" if engines else ""
