"""Stores the phrases of a reading as clips, with a list of them."""

from __future__ import annotations

import asyncio
import csv
import io
import itertools
import json
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from maie_cli.clips.cutting import ClipFormat, cut
from maie_formats.clean import plain
from maie_formats.readings.phrases import Phrase
from maie_formats.table import no_formula

# Audio that is kept before and after a phrase, where nothing else is spoken.
PADDING_SECONDS = 0.15
FIELDS = ("file", "start", "end", "text", "score", "exact")

Put = Callable[[str, bytes], Awaitable[None]]
"""Stores a file whole, by its name: in a folder or in a bucket."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Clip:
    """A clip.

    Attributes:
        file: Its name.
        start: When it begins, in seconds from the recording's start.
        end: When it ends.
        phrase: What is spoken in it.
    """

    file: str
    start: float
    end: float
    phrase: Phrase


async def save_clips(
    recording: Path, phrases: Sequence[Phrase], clip_format: ClipFormat, put: Put, prefix: str = ""
) -> list[Clip]:
    """Cuts all phrases and stores them, and at last their lists, `clips.jsonl` and `clips.csv`.

    Names are numbers. There are no temporary files, and lists only where all clips are.

    Args:
        recording: The recording.
        phrases: Its phrases, in the order of time.
        clip_format: The format of the clips.
        put: Stores a file.
        prefix: What all names begin with, such as "talk/".

    Raises:
        ClipError: The recording cannot be cut.
        OSError: It cannot be read.
    """
    clips = list(_clips(phrases, clip_format))
    with await asyncio.to_thread(recording.open, "rb") as file:
        await _save(file, clips, clip_format, put, prefix)
    for name, content in (("clips.jsonl", _as_lines(clips)), ("clips.csv", _as_csv(clips))):
        await put(f"{prefix}{name}", content.encode(errors="replace"))
    return clips


async def _save(
    file: BinaryIO, clips: Sequence[Clip], clip_format: ClipFormat, put: Put, prefix: str
) -> None:
    contents = cut(file, [(clip.start, clip.end) for clip in clips], clip_format)
    try:
        for clip in clips:
            await put(f"{prefix}{clip.file}", await _in_thread(contents))
    finally:
        await asyncio.to_thread(contents.close)


async def _in_thread(contents: Generator[bytes, None, None]) -> bytes:
    """The next clip. Nobody leaves while a thread is at work on the file."""
    cutting = asyncio.ensure_future(asyncio.to_thread(next, contents))
    try:
        return await asyncio.shield(cutting)
    except asyncio.CancelledError:
        await asyncio.wait([cutting])
        raise


def _clips(phrases: Sequence[Phrase], clip_format: ClipFormat) -> Iterator[Clip]:
    """The clips, with padding that ends half-way to the neighbours."""
    reached = 0.0
    for number, (phrase, after) in enumerate(itertools.zip_longest(phrases, phrases[1:]), start=1):
        start = max(reached, phrase.start - PADDING_SECONDS)
        end = phrase.end + PADDING_SECONDS
        if after is not None:
            end = min(end, max(phrase.end, (phrase.end + after.start) / 2))
        reached = end = max(start, end)
        yield Clip(file=f"{number:05d}.{clip_format}", start=start, end=end, phrase=phrase)


def _values(clip: Clip) -> dict[str, object]:
    phrase = clip.phrase
    score = None if phrase.score is None else round(phrase.score, 3)
    values = (clip.file, round(clip.start, 3), round(clip.end, 3), plain(phrase.text), score)
    return dict(zip(FIELDS, (*values, phrase.exact), strict=True))


def _as_lines(clips: Sequence[Clip]) -> str:
    return "".join(json.dumps(_values(clip), ensure_ascii=False) + "\n" for clip in clips)


def _as_csv(clips: Sequence[Clip]) -> str:
    made = io.StringIO()
    table = csv.writer(made, lineterminator="\n")
    table.writerow(FIELDS)
    for clip in clips:
        values = _values(clip).values()
        table.writerow([no_formula(each) if isinstance(each, str) else each for each in values])
    return made.getvalue()
