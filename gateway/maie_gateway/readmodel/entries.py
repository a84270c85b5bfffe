"""What the read model keeps of a job record."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp

from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_gateway.conductor import FINAL_STATES, job_view
from maie_gateway.conductor.tenants import tenant_of_record
from maie_gateway.readmodel.words import joined, spaced, storable, words
from maie_gateway.views import VIEWS
from maie_pipeline.nodes import node_name
from maie_pipeline.pipelines import pipeline_of

MAX_INT64 = 2**63 - 1


@dataclass(kw_only=True, frozen=True, slots=True)
class JobEntry:
    """A job's row. Times are microseconds since 1970 (UTC).

    Attributes:
        revision: The bucket's revision of the record.
        view: The serialised maie.job.v1.Job without results.
        text_wanted: Names the results whose text is to be found; empty while
            the job is not finished.
        template_id: The template that is filled; empty without a summary.
        speakers: The words of the speakers' names, as `words.joined` writes them.
        labels: The client's own words for the job.
    """

    job_id: str
    tenant: str
    state: int
    display_name: str
    filename: str
    create_time: int
    update_time: int
    finish_time: int | None
    recording_sha256: str
    revision: int
    view: bytes
    text_wanted: str
    template_id: str = ""
    speakers: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def job_entry(of: record.JobRecord, revision: int) -> JobEntry:
    """The row of a record."""
    view = job_view(of)
    for webhook in view.config.webhooks:
        webhook.secret = ""  # no secret reaches the database
    return JobEntry(
        job_id=of.job_id,
        tenant=tenant_of_record(of),
        state=of.state,
        display_name=storable(of.display_name),
        filename=storable(of.config.filename),
        create_time=microseconds(view.create_time),
        update_time=microseconds(view.update_time),
        finish_time=microseconds(view.finish_time) if view.HasField("finish_time") else None,
        recording_sha256=of.recording.sha256,
        revision=revision,
        view=view.SerializeToString(),
        text_wanted=text_version(of),
        template_id=storable(of.config.template_id) if of.template_sha256 else "",
        speakers=joined(spaced(words(name)) for name in of.speaker_names.values()),
        labels={storable(key): storable(value) for key, value in of.labels.items()},
    )


def text_version(of: record.JobRecord) -> str:
    """Names the stored results that a finished job's text is made from; empty before.

    Two records with the same name have the same text, whatever else differs.
    """
    if of.state not in FINAL_STATES:
        return ""
    pipeline = pipeline_of(of)
    nodes = {
        node.name
        for node in (pipeline.nodes if pipeline else ())
        if node.shown and VIEWS[node.output].has_text
    }
    digest = hashlib.sha256()
    for unit in of.units:
        if unit.HasField("output") and node_name(unit.unit) in nodes:
            digest.update(f"{unit.unit} {unit.state} {unit.output.sha256}\n".encode())
    if of.revisions:
        digest.update(f"revision {of.revisions[-1].text.sha256}\n".encode())
    return digest.hexdigest()


def microseconds(time: Timestamp) -> int:
    """A time as the database stores it, clamped to 64 bits."""
    return max(-MAX_INT64, min(MAX_INT64, time.seconds * 1_000_000 + time.nanos // 1000))


def view_of(stored: bytes) -> job.Job:
    """The job that a row shows."""
    return job.Job.FromString(stored)
