"""The transcripts of a session's chunks, from its log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session
from maie_core.speaking import split
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
        diarizer: What told its speakers apart; None where nothing did.
        unknown: Whether its speakers were asked for, and are not known.
    """

    segment: common.Segment
    language_code: str
    engine: common.EngineVersion
    punctuated: bool
    refiner: common.EngineVersion | None = None
    kept: bool = False
    diarizer: common.EngineVersion | None = None
    unknown: bool = False


def transcripts(
    entries: Iterable[session.SessionEntry], target: int, most: int
) -> list[common.Transcript]:
    """The text of all finals in the order in which it was spoken, divided into chunks.

    Each names the language and the engine of most of its finals, and is punctuated where all are.
    As in a recording, segments name their track only where the session has several, and end where
    the speaker changes. Refined finals have their clean text, unless several people say them.

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
    engine, refiner, diarizer = common.EngineVersion(), None, None
    merged: dict[str, str] = {}
    speakers_asked = False
    for entry in entries:
        if entry.speakers_merged.HasField("update"):
            update = entry.speakers_merged.update
            merged = {old: update.new if new == update.old else new for old, new in merged.items()}
            merged[update.old] = update.new
        if entry.HasField("labelled"):
            if entry.labelled.HasField("engine"):
                diarizer = entry.labelled.engine
            labelled = said.get(entry.labelled.labels.utterance_id)
            if labelled is not None:
                _label(labelled.segment, entry.labelled.labels)
                labelled.diarizer, labelled.unknown = diarizer, False
        if entry.HasField("enhancement_engine"):
            refiner = entry.enhancement_engine
        if entry.HasField("refinement"):
            refined = said.get(entry.refinement.utterance_id)
            if refined is not None:
                refined.segment.clean_text = entry.refinement.clean_text
                refined.refiner, refined.kept = refiner, entry.kept
        if entry.HasField("opened"):
            features = entry.opened.config.job.features
            speakers_asked = job.FEATURE_SPEAKERS in features
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
            unknown=speakers_asked and not segment.HasField("speaker"),
        )
    return [part for each in said.values() for part in _parts(each, merged)]


def _label(segment: common.Segment, labels: live.SpeakerLabels) -> None:
    """Gives a segment and its words their speakers."""
    segment.speaker, segment.overlapped = labels.speaker, labels.overlapped
    for word, label in zip(segment.words, labels.words, strict=False):
        word.speaker, word.overlapped = label.speaker, label.overlapped


def _parts(said: _Said, merged: Mapping[str, str]) -> Iterator[_Said]:
    """A final's segments, one for each run of words of one speaker, by the last names."""
    segment = said.segment
    if segment.HasField("speaker"):
        segment.speaker = merged.get(segment.speaker, segment.speaker)
    for word in segment.words:
        if word.HasField("speaker"):
            word.speaker = merged.get(word.speaker, word.speaker)
    if said.diarizer is None or not segment.words:
        yield said
        return
    for part in split(segment):
        kept = said.kept and bool(part.clean_text)
        yield replace(said, segment=part, kept=kept)


def _transcript(said: Sequence[_Said]) -> common.Transcript:
    engines = Counter(each.engine.SerializeToString(deterministic=True) for each in said)
    return common.Transcript(
        segments=[each.segment for each in said],
        language_code=Counter(each.language_code for each in said).most_common(1)[0][0],
        punctuated=all(each.punctuated for each in said),
        asr_engine=common.EngineVersion.FromString(engines.most_common(1)[0][0]),
        enhancement_engine=next((each.refiner for each in reversed(said) if each.refiner), None),
        diarization_engine=next((each.diarizer for each in reversed(said) if each.diarizer), None),
        without_speaker=[
            common.TimeRange(
                start_offset=each.segment.start_offset, end_offset=each.segment.end_offset
            )
            for each in said
            if each.unknown
        ],
        kept_segment_ids=[each.segment.segment_id for each in said if each.kept],
    )
