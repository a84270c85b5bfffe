"""The transcripts of a session's chunks, from its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import session_pb2 as session
from maie_gateway.live.ending.chunks import Speech, chunk_sizes


@dataclass(kw_only=True, slots=True)
class _Said:
    """A final with text.

    Attributes:
        segment: The text, also as it was refined; a copy of the final's.
        language_code: Its language.
        engine: What recognised it.
        punctuated: Whether the engine writes punctuation and casing.
        refiner: What refined it; None where nothing did.
        kept: Whether the refined text is the raw one.
    """

    segment: common.Segment
    language_code: str
    engine: common.EngineVersion
    punctuated: bool
    refiner: common.EngineVersion | None = None
    kept: bool = False


def transcripts(
    entries: Iterable[session.SessionEntry], target: int, most: int
) -> list[common.Transcript]:
    """The text of all finals in the order in which it was spoken, divided into chunks.

    Each names the language and the engine of most of its finals, and is punctuated where all are.
    As in a recording, segments name their track only where the session has several. Refined finals
    have their clean text.

    Args:
        entries: The session's log.
        target: The length that chunks aim at, in nanoseconds; above 0.
        most: The most chunks; 1 or more.

    Returns:
        One for each chunk; none where nobody spoke. The same for the same log.
    """
    said = sorted(_said(entries), key=lambda each: each.segment.start_offset.ToNanoseconds())
    if len({each.segment.track for each in said}) == 1:
        for each in said:
            each.segment.track = 0
    speech = [
        Speech(
            start=each.segment.start_offset.ToNanoseconds(),
            end=each.segment.end_offset.ToNanoseconds(),
        )
        for each in said
    ]
    rest = iter(said)
    return [_transcript(list(islice(rest, size))) for size in chunk_sizes(speech, target, most)]


def _said(entries: Iterable[session.SessionEntry]) -> Iterable[_Said]:
    said: dict[str, _Said] = {}
    engine, refiner = common.EngineVersion(), None
    for entry in entries:
        if entry.HasField("enhancement_engine"):
            refiner = entry.enhancement_engine
        if entry.HasField("refinement"):
            refined = said.get(entry.refinement.utterance_id)
            if refined is not None:
                refined.segment.clean_text = entry.refinement.clean_text
                refined.refiner, refined.kept = refiner, entry.kept
        if not entry.HasField("finished"):
            continue
        finished = entry.finished
        if finished.HasField("engine"):
            engine = finished.engine
        if not finished.final.segment.text:
            continue  # somebody coughed
        segment = common.Segment()
        segment.CopyFrom(finished.final.segment)
        said[segment.segment_id] = _Said(
            segment=segment,
            language_code=finished.final.language_code,
            engine=engine,
            punctuated=finished.final.punctuated,
        )
    return said.values()


def _transcript(said: Sequence[_Said]) -> common.Transcript:
    engines = Counter(each.engine.SerializeToString(deterministic=True) for each in said)
    return common.Transcript(
        segments=[each.segment for each in said],
        language_code=Counter(each.language_code for each in said).most_common(1)[0][0],
        punctuated=all(each.punctuated for each in said),
        asr_engine=common.EngineVersion.FromString(engines.most_common(1)[0][0]),
        enhancement_engine=next((each.refiner for each in reversed(said) if each.refiner), None),
        kept_segment_ids=[each.segment.segment_id for each in said if each.kept],
    )
