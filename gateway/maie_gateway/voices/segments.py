"""How a speaker sounds in some segments of a transcript."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import seconds
from maie_gateway.voices.embeddings import Embedding, mean, unpack

Span: TypeAlias = tuple[float, float]
"""Where a range begins and ends, in seconds from the recording's start."""


def heard_in(
    segments: Sequence[common.Segment],
    voices: Sequence[diarization.Voice],
    turns: Sequence[diarization.SpeakerTurn],
) -> tuple[Embedding | None, float]:
    """How the speaker of segments sounds, and how many seconds of clean speech that is of.

    A voice counts by its clean speech, and by how much of it is in the segments. Somebody else may
    say a word within a segment: of each, only the voices of who speaks most of it count. That goes
    by the turns, so it holds where people corrected who speaks. Blocks.

    Args:
        segments: The segments.
        voices: The voices of the chunks that they are in, in one space.
        turns: Who spoke when, as it was told apart.
    """
    chosen = [_span(each) for each in segments]
    reach = min(start for start, _ in chosen), max(end for _, end in chosen)
    known = _by_speaker(turns, voices, reach)
    speaking: defaultdict[str, list[Span]] = defaultdict(list)
    for span in chosen:
        if speaker := _most([span], known):
            speaking[speaker].append(span)
    weighed: list[tuple[Embedding, float]] = []
    for voice in voices:
        spans = [_span(each) for each in voice.turns]
        embedding = unpack(voice.embedding)
        if embedding is None or not spans:
            continue
        inside = _common(spans, speaking.get(_owner(spans, _span(voice.window), known), ()))
        if inside > 0:
            share = inside / _length(spans)
            weighed.append((embedding, share * seconds(voice.clean_duration)))
    # Windows overlap, so that a second may be in several voices.
    clean = min(sum(weight for _, weight in weighed), _length(chosen))
    return mean(weighed), clean


def _by_speaker(
    turns: Sequence[diarization.SpeakerTurn],
    voices: Sequence[diarization.Voice],
    reach: Span,
) -> dict[str, list[Span]]:
    """The turns of each speaker that voices or segments may lie in."""
    windows = [_span(voice.window) for voice in voices]
    first = min([reach[0], *(start for start, _ in windows)])
    last = max([reach[1], *(end for _, end in windows)])
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for turn in turns:
        start, end = _span(turn.range)
        if start < last and end > first:
            found[turn.speaker].append((start, end))
    return found


def _owner(spans: Sequence[Span], window: Span, known: dict[str, list[Span]]) -> str:
    """Whose voice it is that speaks so in a window: who speaks there most alike.

    What somebody says while another speaks lies in the turns of both.
    """
    best, owner = 0.0, ""
    for speaker, theirs in known.items():
        both = _length(spans) + _common([window], theirs)
        alike = 2 * _common(spans, theirs) / both if both else 0.0
        if alike > best:
            best, owner = alike, speaker
    return owner


def _most(spans: Sequence[Span], known: dict[str, list[Span]]) -> str:
    """Who speaks most of some ranges; empty where nobody does."""
    shares = {speaker: _common(spans, theirs) for speaker, theirs in known.items()}
    best = max(shares, key=shares.__getitem__, default="")
    return best if best and shares[best] > 0 else ""


def _length(spans: Sequence[Span]) -> float:
    """How long ranges are together, in seconds."""
    return sum(end - start for start, end in spans)


def _common(some: Sequence[Span], others: Sequence[Span]) -> float:
    """How long ranges overlap others, in seconds."""
    return sum(
        max(0.0, min(end, last) - max(start, first))
        for start, end in some
        for first, last in others
    )


def _span(timed: common.Segment | common.TimeRange) -> Span:
    return seconds(timed.start_offset), seconds(timed.end_offset)
