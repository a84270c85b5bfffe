"""How the text of a recording is shown, with figures about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.durations import seconds
from maie_gateway.views.view import View
from maie_gateway.views.warnings import (
    suspect_texts,
    transcript_warnings,
    unread_duration,
    unread_ranges,
)

# A longer silence begins a new paragraph of the clean transcript.
PARAGRAPH_PAUSE_SECONDS = 2.0


def _show(shown: job.Job, of: record.JobRecord, transcripts: Sequence[common.Transcript]) -> None:
    shown.metrics.MergeFrom(transcript_metrics(transcripts))
    if job.FEATURE_ENHANCEMENT_METRICS in of.config.features and transcripts:
        shown.results.enhancement_metrics.CopyFrom(_enhancement(of, transcripts))
    if not _shows_text(of):
        return
    show_segments(shown, of, segments_of(transcripts))
    shown.results.suspect_texts.extend(suspect_texts(transcripts))
    shown.results.unread.extend(unread_ranges(transcripts))
    if transcripts:
        shown.results.language_code = transcripts[0].language_code


def show_segments(shown: job.Job, of: record.JobRecord, segments: Sequence[common.Segment]) -> None:
    """Shows these segments, and the texts that they make, in place of those that were shown.

    Args:
        shown: The job as it is shown.
        of: Its record, which says which texts were asked for.
        segments: The segments in recording order.
    """
    if not _shows_text(of):
        return
    del shown.results.segments[:]
    shown.results.segments.extend(segments)
    if job.FEATURE_RAW_TRANSCRIPT in of.config.features:
        shown.results.raw_transcript = "\n".join(segment.text for segment in segments)
    if job.FEATURE_CLEAN_TRANSCRIPT in of.config.features:
        shown.results.clean_transcript = _paragraphs(segments)


def _shows_text(of: record.JobRecord) -> bool:
    """Whether a transcript was asked for, and the recording is cut."""
    texts = {job.FEATURE_RAW_TRANSCRIPT, job.FEATURE_CLEAN_TRANSCRIPT}
    return of.HasField("facts") and not texts.isdisjoint(of.config.features)


def segments_of(transcripts: Iterable[common.Transcript]) -> list[common.Segment]:
    """The segments of all chunks, those of several channels or tracks interleaved by time."""
    segments = (segment for part in transcripts for segment in part.segments)
    return sorted(segments, key=lambda segment: segment.start_offset.ToNanoseconds())


def _paragraphs(segments: Iterable[common.Segment]) -> str:
    """The clean text; a silence, or another speaker, channel or track, begins a new paragraph."""
    paragraphs: list[list[str]] = []
    end, lane = 0.0, (0, 0, "")
    for segment in segments:
        start = seconds(segment.start_offset)
        before, lane = lane, (segment.track, segment.channel, segment.speaker)
        if not paragraphs or lane != before or start - end > PARAGRAPH_PAUSE_SECONDS:
            paragraphs.append([])
        if text := segment.clean_text or segment.text:
            paragraphs[-1].append(text)
        end = seconds(segment.end_offset)
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)


def transcript_metrics(transcripts: Sequence[common.Transcript]) -> job.JobMetrics:
    """The figures that the text of all chunks gives."""
    suspect = [text for transcript in transcripts for text in transcript.suspect_texts]
    metrics = job.JobMetrics(
        asr_confidence=_confidence(transcripts),
        edit_rate=edit_rate(transcripts),
        suspect_text_count=len(suspect),
        removed_text_count=sum(text.removed for text in suspect),
        reread_count=sum(each.reread_count for each in transcripts),
        kept_segment_count=sum(len(each.kept_segment_ids) for each in transcripts),
    )
    if unread := unread_duration(transcripts):
        metrics.unread_duration.FromTimedelta(unread)
    return metrics


def edit_rate(transcripts: Iterable[common.Transcript]) -> float | None:
    """The chunks' edit rates, each weighted by the longer of its two texts."""
    edits = characters = 0.0
    for transcript in transcripts:
        if transcript.HasField("edit_rate"):
            length = max(
                sum(len(segment.text) for segment in transcript.segments),
                sum(len(segment.clean_text) for segment in transcript.segments),
            )
            edits += transcript.edit_rate * length
            characters += length
    return edits / characters if characters else None


def _confidence(transcripts: Iterable[common.Transcript]) -> float | None:
    """The segments' confidences, each weighted by its duration."""
    total = spoken = 0.0
    for transcript in transcripts:
        for segment in transcript.segments:
            if segment.HasField("confidence"):
                length = seconds(segment.end_offset) - seconds(segment.start_offset)
                total += segment.confidence * length
                spoken += length
    return total / spoken if spoken else None


def _enhancement(
    of: record.JobRecord, transcripts: Sequence[common.Transcript]
) -> job.EnhancementMetrics:
    skipped = any(
        unit.stage == common.STAGE_ENHANCEMENT and unit.state == job.UNIT_STATE_SKIPPED
        for unit in of.units
    )
    kept = [name for each in transcripts for name in each.kept_segment_ids]
    return job.EnhancementMetrics(
        edit_rate=edit_rate(transcripts) or 0.0, skipped=skipped, kept_segment_ids=kept
    )


def _segments(transcript: common.Transcript) -> Sequence[common.Segment]:
    return transcript.segments


def _engines(transcript: common.Transcript) -> Iterable[job.StageVersion]:
    yield job.StageVersion(stage=common.STAGE_ASR, engine=transcript.asr_engine)
    if transcript.HasField("diarization_engine"):
        yield job.StageVersion(stage=common.STAGE_DIARIZATION, engine=transcript.diarization_engine)
    if transcript.HasField("enhancement_engine"):
        yield job.StageVersion(stage=common.STAGE_ENHANCEMENT, engine=transcript.enhancement_engine)


TRANSCRIPT = View(
    show=_show,
    warnings=transcript_warnings,
    segments=_segments,
    engines=_engines,
    has_text=True,
)
