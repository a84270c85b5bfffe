"""Reads along: a recording, its text and what speech recognition heard."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.engine import SAMPLE_RATE, AlignedWord, Engine, Filler, FillerEngine
from maie_alignment.reading.audio import Audio
from maie_alignment.reading.checks import FoundUnit, check
from maie_alignment.reading.compare import HeardWord, as_read, compare
from maie_alignment.reading.pieces import Piece, pieces
from maie_alignment.reading.report import reading_of
from maie_alignment.text import TextWord


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Recording:
    """What is to be compared.

    Attributes:
        audio: The recording.
        text: The text.
        heard: What was heard; None where nobody listened, and all of the text counts as read.
    """

    audio: Audio
    text: Sequence[TextWord]
    heard: Sequence[HeardWord] | None


async def read_along(
    recording: Recording, engine: Engine
) -> AsyncGenerator[float | alignment.Reading, None]:
    """Yields the share that is done, piece by piece, and at last the reading, without engines.

    Raises:
        StageError: As the engine raises it.
    """
    length = recording.audio.seconds
    if recording.heard is None:
        cut = [Piece(units=tuple(as_read(recording.text)), start=0.0, end=length)]
    else:
        units = compare(recording.text, recording.heard)
        cut = pieces(units, length, engine.max_seconds)
    found: list[FoundUnit] = []
    for number, piece in enumerate(cut, start=1):
        found += await _piece(piece, recording.audio, engine)
        yield number / len(cut)
    yield reading_of(recording.text, found)


async def _piece(piece: Piece, audio: Audio, engine: Engine) -> list[FoundUnit]:
    start, end = round(piece.start * SAMPLE_RATE), round(piece.end * SAMPLE_RATE)
    # A piece without a pause may be longer than the engine takes; it has the times of speech
    # recognition then.
    is_short = end - start <= engine.max_seconds * SAMPLE_RATE
    part = await audio.read(start, end) if is_short else None

    async def align(words: Sequence[str]) -> list[AlignedWord]:
        return [] if part is None else await engine.align(part, words)

    async def listen(words: Sequence[str]) -> list[Filler]:
        if part is None or not isinstance(engine, FillerEngine):
            return []
        return await engine.fillers(part, words)

    found = await check(piece.units, align, listen)
    return [
        replace(each, word=_moved(each.word, start / SAMPLE_RATE)) if each.word else each
        for each in found
    ]


def _moved(word: AlignedWord, offset: float) -> AlignedWord:
    return replace(
        word,
        start=word.start + offset,
        end=word.end + offset,
        phones=tuple(
            replace(each, start=each.start + offset, end=each.end + offset) for each in word.phones
        ),
        letters=tuple(
            replace(each, start=each.start + offset, end=each.end + offset) for each in word.letters
        ),
    )
