"""How the speakers of jobs sound, by what their diarization stored."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.durations import seconds
from maie_core.limits import MIN_CLEAN_SPEECH_SECONDS
from maie_gateway.conductor import FINAL_STATES
from maie_gateway.edits.numbers import known_revision
from maie_gateway.views.results import HAS_OUTPUT, Results, shown_units
from maie_gateway.views.stored_results import StoredResults
from maie_gateway.voices.embeddings import Embedding, unpack
from maie_gateway.voices.refusals import missing, not_ready, too_short, wrong
from maie_gateway.voices.segments import heard_in
from maie_pipeline.live_session import LIVE_PIPELINES, LIVE_UNIT
from maie_pipeline.nodes import node_name
from maie_pipeline.pipelines import pipeline_of


@dataclass(kw_only=True, frozen=True, slots=True)
class HeardVoice:
    """How a speaker sounds.

    Attributes:
        embedding: Whose voice it is.
        clean_seconds: How much clean speech it is made of.
        space: The space of the embedding.
        engine: What heard it.
    """

    embedding: Embedding
    clean_seconds: float
    space: str
    engine: common.EngineVersion


class JobVoices:
    """Reads how the speakers of jobs sound.

    Args:
        stored: The stored results.
        results: The transcripts.

    Raises:
        StageError: FAILED_PRECONDITION with VOICES_NOT_READY or VOICES_MISSING; DATA_LOSS as
            `StoredResults`.
    """

    def __init__(self, stored: StoredResults, results: Results) -> None:
        self._stored = stored
        self._results = results

    async def speakers(self, of: record.JobRecord) -> diarization.Diarization:
        """Who speaks in a job, with their voices."""
        units = _units(of)
        if not units:
            raise _without_speakers(of)
        made = await self._stored.get(units[-1].output, diarization.Diarization)
        if not made.embedding_space:
            raise missing(of.job_id, _why_none(made))
        return made

    async def voice(
        self, of: record.JobRecord, speaker: str, segment_ids: Collection[str]
    ) -> HeardVoice:
        """How a speaker sounds, in all of a job or in some segments.

        Raises:
            StageError: Also INVALID_ARGUMENT with FIELD_INVALID; FAILED_PRECONDITION with
                VOICE_TOO_SHORT.
        """
        made = await self.speakers(of)
        if any(each.speaker == speaker and _is_alone(each) for each in made.speakers):
            raise missing(
                of.job_id,
                f"{speaker} has a channel or its track alone, and nobody listened to the voice; "
                "take a recording in which several people share one",
            )
        if segment_ids:
            if of.pipeline in LIVE_PIPELINES:
                raise wrong(
                    "segment_ids",
                    "Of a live session it is known how a speaker sounds, and not how each segment "
                    "does; name the speaker alone.",
                )
            segments = await self._segments(of, speaker, segment_ids)
            voices = await self._voices(of, segments, made.embedding_space)
            embedding, clean = await asyncio.to_thread(heard_in, segments, voices, made.turns)
        else:
            embedding, clean = _of_speaker(made, speaker)
        if embedding is None or clean < MIN_CLEAN_SPEECH_SECONDS:
            raise too_short(speaker, clean)
        return HeardVoice(
            embedding=embedding,
            clean_seconds=clean,
            space=made.embedding_space,
            engine=made.engine,
        )

    async def _segments(
        self, of: record.JobRecord, speaker: str, segment_ids: Collection[str]
    ) -> list[common.Segment]:
        """Segments of a speaker in the newest revision of the transcript."""
        newest = await self._results.segments(of, known_revision(of, None))
        named = {each.segment_id: each for each in newest[0] if each.speaker == speaker}
        for segment_id in segment_ids:
            if segment_id not in named:
                raise wrong(
                    "segment_ids",
                    f"The newest revision of the transcript has no segment {segment_id!r} of "
                    f"{speaker}; name segments as it has them.",
                )
        return [named[segment_id] for segment_id in dict.fromkeys(segment_ids)]

    async def _voices(
        self, of: record.JobRecord, segments: Sequence[common.Segment], space: str
    ) -> list[diarization.Voice]:
        """The voices of the chunks that segments are in, in one space."""
        planned = shown_units(of)[preprocess.PreprocessResult][-1]
        plan = await self._stored.get(planned.output, preprocess.PreprocessResult)
        wanted = {
            chunk.index
            for chunk in plan.chunks
            if any(_overlap(chunk.range, segment) for segment in segments)
        }
        units = [unit for unit in _map_units(of) if unit.index in wanted]
        reading = (self._stored.get(unit.output, diarization.Voices) for unit in units)
        found = await asyncio.gather(*reading)
        # A worker with another engine may have heard a chunk, as during an upgrade.
        return [voice for part in found if part.embedding_space == space for voice in part.voices]


def _units(of: record.JobRecord) -> Sequence[record.Unit]:
    """The units that told the speakers of a job apart; none where none has yet."""
    if of.pipeline in LIVE_PIPELINES:
        return [each for each in of.units if each.unit == LIVE_UNIT and each.HasField("output")]
    return shown_units(of).get(diarization.Diarization, ())


def _map_units(of: record.JobRecord) -> list[record.Unit]:
    """The units of a job that found the voices of its chunks."""
    pipeline = pipeline_of(of)
    found = pipeline.nodes if pipeline else ()
    nodes = {node.name for node in found if node.output is diarization.Voices}
    return [unit for unit in of.units if node_name(unit.unit) in nodes and unit.state in HAS_OUTPUT]


def _overlap(span: common.TimeRange, segment: common.Segment) -> bool:
    return seconds(span.start_offset) < seconds(segment.end_offset) and (
        seconds(segment.start_offset) < seconds(span.end_offset)
    )


def _of_speaker(made: diarization.Diarization, speaker: str) -> tuple[Embedding | None, float]:
    """How a speaker sounds in all of a job, and the seconds of clean speech."""
    for each in made.voices:
        if each.speaker == speaker:
            return unpack(each.embedding), seconds(each.clean_duration)
    if speaker in {each.speaker for each in made.speakers}:
        return None, 0.0
    raise wrong(
        "speaker",
        f"Nobody was told apart as {speaker} in this job; name another speaker, or the segments of "
        "this one.",
    )


def _without_speakers(of: record.JobRecord) -> Exception:
    """The error for a job in which nobody told the speakers apart."""
    if job.FEATURE_SPEAKERS not in of.config.features:
        return missing(
            of.job_id,
            "its speakers were not asked for; process its recording with the feature SPEAKERS",
        )
    if of.state not in FINAL_STATES:
        return not_ready(of.job_id)
    if of.pipeline in LIVE_PIPELINES:
        return missing(
            of.job_id,
            "nobody was told apart by the voice in this live session; let a track have several "
            "speakers, or process a recording of it with the feature SPEAKERS",
        )
    return missing(
        of.job_id,
        "it ended before its speakers were told apart; retry it, or process its recording again",
    )


def _is_alone(speaker: diarization.Speaker) -> bool:
    """Whether a speaker is known by the channel or track, and not by the voice."""
    return bool(speaker.channel or speaker.track)


def _why_none(made: diarization.Diarization) -> str:
    if any(map(_is_alone, made.speakers)):
        return (
            "each channel or track is a speaker, and nobody listened to the voices; process the "
            "recording again with its channels mixed"
        )
    if not made.speakers:
        return "nobody speaks in it; take another recording"
    return "an earlier release told its speakers apart; process the recording again"
