"""What tools answer. Each description is in the tool's schema, where a model reads it."""

from __future__ import annotations

from pydantic import BaseModel, Field


class JobEntry(BaseModel):
    """A job: a recording or a live session, and what was made of it."""

    job_id: str = Field(description="The job's id, which other tools take.")
    name: str = Field(description="What people call it.")
    state: str = Field(
        description="PENDING, PREPROCESSING, PROCESSING_ASR, PROCESSING_LLM, COMPLETE, FAILED or "
        "CANCELLED. The last three are final."
    )
    created: str = Field(description="When it was accepted, in UTC.")
    labels: dict[str, str] = Field(description="Its labels.")


class JobPage(BaseModel):
    """A page of jobs."""

    jobs: list[JobEntry] = Field(description="The jobs, newest first.")
    next_page_token: str = Field(description="Pass it as page_token for more; empty at the end.")


class Moment(BaseModel):
    """A place where words were found."""

    start_seconds: float | None = Field(
        description="Where it begins in the recording; null: in the summary as a whole."
    )
    time: str = Field(description="The same as mm:ss or h:mm:ss; empty where there is none.")
    text: str = Field(description="The text around the words.")


class Hit(BaseModel):
    """A job in which words were found."""

    job: JobEntry
    moments: list[Moment] = Field(description="Where they are, best first; at most 5.")


class SearchResult(BaseModel):
    """What a search found."""

    hits: list[Hit] = Field(description="The jobs, best first.")
    next_page_token: str = Field(description="Pass it as page_token for more; empty at the end.")


class StageProgress(BaseModel):
    """How far a stage of a job is."""

    stage: str = Field(description="PREPROCESS, ASR, ENHANCEMENT or SUMMARY.")
    fraction: float = Field(description="The share of its work that is done, 0 to 1.")


class JobStatus(BaseModel):
    """How far a job is."""

    job: JobEntry
    is_final: bool = Field(description="Whether it has ended.")
    progress: list[StageProgress] = Field(description="How far each stage is.")
    failures: list[str] = Field(description="Why it, or a part of it, failed.")
    has_transcript: bool = Field(description="Whether get_transcript has something to give.")
    has_summary: bool = Field(description="Whether get_summary has something to give.")


class TranscriptPage(BaseModel):
    """A page of a transcript."""

    job: JobEntry
    language: str = Field(description="The spoken language as a BCP-47 tag; empty if not known.")
    text: str = Field(
        description="Paragraphs, each after its time in the recording, such as [12:05], and after "
        "who says it, or the channel or track, where that is known."
    )
    speakers: list[str] = Field(
        description="Who speaks, each with a share of the speech, such as Anna (62%); empty where "
        "it was not asked for."
    )
    page: int = Field(description="Which page this is, from 1.")
    pages: int = Field(description="How many pages there are for what was asked; 0: no speech.")
    warnings: list[str] = Field(description="What a reader should know, such as gaps.")


class SummaryItem(BaseModel):
    """A statement of a summary."""

    text: str = Field(description="The statement.")
    details: dict[str, str] = Field(description="More about it, by label, such as Owner.")
    times: list[str] = Field(description="Where it was said: mm:ss or h:mm:ss.")
    speakers: list[str] = Field(description="Who said it there; empty where nobody knows.")


class SummarySection(BaseModel):
    """A part of a summary."""

    title: str = Field(description="Its title, such as Action items.")
    items: list[SummaryItem] = Field(description="Its statements.")


class SummaryAnswer(BaseModel):
    """A summary."""

    job: JobEntry
    title: str = Field(description="The summary's own title; empty without one.")
    template_id: str = Field(description="The template that it fills.")
    sections: list[SummarySection] = Field(description="Its parts, in the template's order.")


class TemplateEntry(BaseModel):
    """A template that a summary can fill."""

    template_id: str = Field(description="The id that submit takes.")
    name: str = Field(description="What people call it.")
    description: str = Field(description="What it is for.")


class TemplateList(BaseModel):
    """The templates."""

    templates: list[TemplateEntry]
