"""What jobs a list or a search is about, by plain names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypedDict

from maie.job.v1 import job_pb2 as job
from maie_client.text import sendable, sendable_labels


class JobFilters(TypedDict, total=False):
    """Only jobs that are like this. An unset or empty one leaves all."""

    states: Iterable[job.JobState]
    """In one of these states."""
    labels: Mapping[str, str]
    """With all of these labels."""
    accepted_from: datetime | None
    """Accepted at this time or later."""
    accepted_until: datetime | None
    """Accepted before this time."""
    recording_sha256: str
    """Of the recording with this SHA-256, as 64 lower-case hexadecimal digits."""
    template_id: str
    """That fill this template."""
    language_code: str
    """Finished, and spoken in this language, a BCP-47 tag: "en" is "en-GB" too."""
    speaker: str
    """With a speaker whose name has these words next to each other: "okri" is "Ben Okri" too."""


def filter_fields(filters: JobFilters) -> dict[str, Any]:
    """The fields of a ListJobsRequest or a SearchJobsRequest."""
    fields: dict[str, Any] = {
        "states": filters.get("states", ()),
        "labels": sendable_labels(filters.get("labels") or {}),
        "accepted_from": filters.get("accepted_from"),
        "accepted_until": filters.get("accepted_until"),
        "recording_sha256": sendable(filters.get("recording_sha256", "")),
        "template_id": sendable(filters.get("template_id", "")),
        "language_code": sendable(filters.get("language_code", "")),
        "speaker": sendable(filters.get("speaker", "")),
    }
    return fields
