"""The transcript of a session, from its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import session_pb2 as session


def transcript(entries: Iterable[session.SessionEntry]) -> common.Transcript:
    """The text of all finals, in the order in which it was spoken.

    It names the language and the engine of most of them, and is punctuated where all are. As in a
    recording, segments name their track only where there are several. Refined finals have their
    clean text.
    """
    segments: dict[str, common.Segment] = {}
    refiner: common.EngineVersion | None = None
    kept: list[str] = []
    languages: Counter[str] = Counter()
    engines: Counter[bytes] = Counter()
    engine, punctuated = common.EngineVersion(), True
    for entry in entries:
        if entry.HasField("refinement"):
            refined = segments.get(entry.refinement.utterance_id)
            if refined is not None:
                refined.clean_text = entry.refinement.clean_text
            if entry.HasField("enhancement_engine"):
                refiner = entry.enhancement_engine
            if entry.kept:
                kept.append(entry.refinement.utterance_id)
        if not entry.HasField("finished"):
            continue
        finished = entry.finished
        if finished.HasField("engine"):
            engine = finished.engine
        if not finished.final.segment.text:
            continue  # somebody coughed
        segment = common.Segment()
        segment.CopyFrom(finished.final.segment)
        segments[segment.segment_id] = segment
        languages[finished.final.language_code] += 1
        engines[engine.SerializeToString(deterministic=True)] += 1
        punctuated = punctuated and finished.final.punctuated
    in_time: list[common.Segment] = sorted(segments.values(), key=_start)
    if len({segment.track for segment in in_time}) == 1:
        for segment in in_time:
            segment.track = 0
    return common.Transcript(
        segments=in_time,
        language_code=languages.most_common(1)[0][0] if languages else "",
        punctuated=punctuated and bool(segments),
        asr_engine=common.EngineVersion.FromString(engines.most_common(1)[0][0])
        if engines
        else engine,
        enhancement_engine=refiner,
        kept_segment_ids=kept,
    )


def _start(segment: common.Segment) -> int:
    return segment.start_offset.ToNanoseconds()
