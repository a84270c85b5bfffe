"""Jobs and their results as tools answer them."""

from __future__ import annotations

from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary
from maie_core.durations import seconds
from maie_formats.clean import plain
from maie_formats.summary import Item, reading
from maie_formats.transcript import clock, groups, lines, paragraph, paragraphs
from maie_formats.voices import shares
from maie_formats.warnings import sentences
from maie_mcp.answers import (
    Hit,
    JobEntry,
    JobStatus,
    Moment,
    StageProgress,
    SummaryAnswer,
    SummaryItem,
    SummarySection,
    TranscriptPage,
)
from maie_pipeline.states import FINAL_STATES

# About 5,000 tokens of English: four hours of speech are some ten pages.
PAGE_CHARACTERS = 20_000


def entry(of: job.Job) -> JobEntry:
    """A job without its results."""
    return JobEntry(
        job_id=of.job_id,
        name=plain(of.display_name or of.config.filename),
        state=job.JobState.Name(of.state).removeprefix("JOB_STATE_"),
        created=of.create_time.ToJsonString(),
        labels=dict(of.labels),
    )


def hit(found: job.SearchHit) -> Hit:
    """A job in which words were found."""
    return Hit(job=entry(found.job), moments=[_moment(each) for each in found.moments])


def status(of: job.Job) -> JobStatus:
    """How far a job is."""
    results = of.results
    return JobStatus(
        job=entry(of),
        is_final=of.state in FINAL_STATES,
        progress=[
            StageProgress(
                stage=common.Stage.Name(each.stage).removeprefix("STAGE_"), fraction=each.fraction
            )
            for each in of.progress
        ],
        failures=[plain(failure.message) for failure in of.failures],
        has_transcript=results.HasField("raw_transcript") or results.HasField("clean_transcript"),
        has_summary=results.HasField("summary"),
    )


def transcript(of: job.Job, start: float, end: float | None, page: int) -> TranscriptPage:
    """A page of the paragraphs that begin in a range of the recording.

    Args:
        of: The job.
        start: Seconds from the recording's start.
        end: Seconds from the recording's start, not included; None: to its end.
        page: Which page, from 1.
    """
    pages = _pages(_paragraphs(of.results, start, end))
    return TranscriptPage(
        job=entry(of),
        language=of.results.language_code,
        text=pages[page - 1] if page <= len(pages) else "",
        page=page,
        pages=len(pages),
        speakers=shares(of.results.speakers),
        warnings=sentences(of.results),
    )


def summary_answer(of: job.Job, template: summary.Template | None) -> SummaryAnswer:
    """A job's summary in the order of its template."""
    read = reading(of.results.summary, template, of.results.speakers)
    return SummaryAnswer(
        job=entry(of),
        title=read.title,
        template_id=of.results.summary.template_id,
        sections=[
            SummarySection(title=each.title, items=[_item(item) for item in each.items])
            for each in read.sections
        ],
    )


def _moment(of: job.Moment) -> Moment:
    start = seconds(of.range.start_offset) if of.HasField("range") else None
    time = "" if start is None else clock(start)
    return Moment(start_seconds=start, time=time, text=plain(of.snippet))


def _item(of: Item) -> SummaryItem:
    times = list(dict.fromkeys(clock(start) for start, _ in of.moments))
    speakers = list(dict.fromkeys(speaker for _, speaker in of.moments if speaker))
    return SummaryItem(text=of.text, details=dict(of.details), times=times, speakers=speakers)


def _paragraphs(results: job.JobResults, start: float, end: float | None) -> list[str]:
    timed = [
        (group[0].start, f"[{clock(group[0].start)}] {paragraph(group)}")
        for group in groups(lines(results))
    ]
    # Without segments, nobody knows when what was said.
    known = timed or [(start, text) for text in paragraphs(results)]
    return [text for at, text in known if start <= at and (end is None or at < end)]


def _pages(texts: Sequence[str]) -> list[str]:
    pages: list[str] = []
    for text in texts:
        if pages and len(pages[-1]) + len(text) < PAGE_CHARACTERS:
            pages[-1] += f"\n\n{text}"
        else:
            pages.append(text)
    return pages
