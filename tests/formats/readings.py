"""Readings for the tests of their formats."""

from __future__ import annotations

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.common.v1 import types_pb2 as common
from maie_core.durations import duration, time_range

TEXT = '"Once, upon a <b>time</b>", he said.\n\nThe end.'


def word(
    text: str,
    outcome: str = "CORRECT",
    *,
    at: int | None = None,
    times: tuple[float, float] | None = None,
    heard: str = "",
    score: float | None = None,
    parts: bool = True,
    ends_phrase: bool = False,
) -> alignment.ReadWord:
    """A word, with a sound and a letter for each letter of what was spoken."""
    made = alignment.ReadWord(
        text=text,
        outcome=f"WORD_OUTCOME_{outcome}",
        heard=heard,
        text_offset=at,
        score=score,
        ends_phrase=ends_phrase,
    )
    if times:
        start, end = times
        made.range.CopyFrom(time_range(start, end))
        spoken = (heard or text) if parts else ""
        step = (end - start) / max(1, len(spoken))
        for place, letter in enumerate(spoken):
            here = time_range(start + place * step, start + (place + 1) * step)
            made.phones.add(symbol=letter.upper(), range=here, score=0.9)
            made.letters.add(text=letter, range=here)
    return made


def reading() -> alignment.Reading:
    """A reading of TEXT in which each outcome is."""
    return alignment.Reading(
        words=[
            word("um", "FILLER", times=(0.2, 0.3)),
            word("Once", at=1, times=(0.5, 1.0), score=0.9, ends_phrase=True),
            word("upon", "WRONG", at=7, times=(1.2, 1.6), heard="up on", score=0.8),
            word("up", "REPEATED", times=(1.6, 1.8), score=0.7),
            word("a", "SKIPPED", at=12),
            word("b>time</b", at=15, times=(2.5, 3.0), score=0.2, ends_phrase=True),
            word('"old"', "INSERTED", times=(3.0, 3.2), parts=False),
            word("he", at=28, times=(3.2, 3.4), score=0.9),
            word("said", at=31, times=(3.4, 4.0), score=0.9, ends_phrase=True),
            word("The", "NOT_REACHED", at=38),
            word("end", "NOT_REACHED", at=42, ends_phrase=True),
        ],
        pauses=[
            alignment.Pause(range=time_range(1.0, 1.2)),
            alignment.Pause(range=time_range(1.8, 2.5), hesitation=True),
        ],
        figures=alignment.ReadingFigures(
            words=7,
            correct=5,
            wrong=1,
            skipped=1,
            inserted=1,
            repeated=1,
            fillers=1,
            hesitations=1,
            duration=duration(3.8),
            words_correct_per_minute=78.9,
        ),
        engine=common.EngineVersion(engine="embedded", model_name="en-us"),
    )
