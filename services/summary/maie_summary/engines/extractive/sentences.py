"""Splits segments into sentences, each with its segments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from maie_summary.engine import Segment

# A sentence ends after its mark and closing quotes or brackets; not after "Dr." or "e.g.".
END = re.compile(
    r"(?<!\bDr)(?<!\bMr)(?<!\bMrs)(?<!\bSt)(?<!\.[a-z])[.?!…]+[\"')\]]*\s+|[。？！।؟۔]+\s*"
)
# A sentence without an end is cut here in the notes.
MAX_SENTENCE_CHARS = 500


@dataclass(kw_only=True, frozen=True, slots=True)
class Sentence:
    """A spoken sentence.

    Attributes:
        text: At most `MAX_SENTENCE_CHARS` characters.
        segment_ids: Its segments, in recording order.
        score: Its centrality in its part, 0 or more.
        speaker: Who says it: in notes an id such as "S1", and in findings what people
            call the speaker; empty if nobody knows.
    """

    text: str
    segment_ids: tuple[str, ...]
    score: float = 0.0
    speaker: str = ""


def split_sentences(segments: Sequence[Segment]) -> list[Sentence]:
    """The sentences of segments in recording order.

    A sentence may span several segments of one speaker. If no segment has a mark that
    ends a sentence, each segment is one sentence.
    """
    marked = any(END.search(segment.text + " ") for segment in segments)
    return [
        sentence
        for speaker, turn in groupby(segments, key=lambda segment: segment.speaker)
        for sentence in _of_turn(list(turn), speaker, marked)
    ]


def _of_turn(segments: Sequence[Segment], speaker: str, marked: bool) -> list[Sentence]:
    text, owners = "", []
    for segment in segments:
        if said := " ".join(segment.text.split()):
            said += " " if marked else ". "
            text += said
            owners += [segment.segment_id] * len(said)
    sentences, start = [], 0
    for end in [*(match.end() for match in END.finditer(text)), len(text)]:
        said = text[start:end].strip()
        if any(character.isalnum() for character in said):
            ids = tuple(dict.fromkeys(owners[start:end]))
            said = said if marked else said.rstrip(". ")
            said = shorten(said, MAX_SENTENCE_CHARS)
            sentences.append(Sentence(text=said, segment_ids=ids, speaker=speaker))
        start = end
    return sentences


def shorten(text: str, length: int) -> str:
    """Shortens a text to at most `length` characters, between words if possible."""
    if len(text) <= length:
        return text
    cut = (
        text[: max(length - 1, 0)].rsplit(" ", 1)[0] if " " in text[:length] else text[: length - 1]
    )
    return cut.rstrip(" ,;:") + "…" if length else ""
