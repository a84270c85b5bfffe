"""A job as those see it who have the token of a share of it: strangers to its tenant."""

from __future__ import annotations

import json
from collections.abc import Container
from typing import Any, TypeVar

from google.protobuf.message import Message

from maie.job.v1 import job_pb2 as job
from maie.summary.v1 import summary_pb2 as summary

MessageT = TypeVar("MessageT", bound=Message)
_OF_JOB = frozenset(
    {"job_id", "state", "create_time", "finish_time", "display_name", "results", "metrics"}
)
_OF_METRICS = frozenset({"input_duration"})
_OF_RESULTS = frozenset(
    {
        "raw_transcript",
        "clean_transcript",
        "segments",
        "speakers",
        "language_code",
        "summary",
        "warnings",
    }
)
_OF_SUMMARY = frozenset({"template_id", "content", "citations"})
# What names and orders the parts of a summary; the rest tells language models what to write.
_OF_SCHEMA = frozenset({"title", "type", "properties", "items"})


def shared_view(full: job.Job) -> job.Job:
    """What a share shows of a job.

    A list of what is shown, so that nothing else is ever shown by accident, such as a field that a
    later release adds: not the tenant, its labels, the config with file names, hints and webhooks,
    not which machines and models worked, and not what the recording's first transcript had that
    was corrected since.

    Args:
        full: The job as its tenant sees it, with the newest revision.
    """
    shown = _only(full, _OF_JOB)
    _keep(shown.metrics, _OF_METRICS)
    _keep(shown.results, _OF_RESULTS)
    if shown.results.HasField("summary"):
        _keep(shown.results.summary, _OF_SUMMARY)
    return shown


def shown_template(full: summary.Template) -> summary.Template:
    """What a share shows of a template: the names, the titles and the order of its parts."""
    schema = json.dumps(_pruned(json.loads(full.schema_json)))
    return summary.Template(template_id=full.template_id, title=full.title, schema_json=schema)


def _pruned(schema: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in schema.items() if key in _OF_SCHEMA}
    if isinstance(properties := found.get("properties"), dict):
        found["properties"] = {
            name: _pruned(each) for name, each in properties.items() if isinstance(each, dict)
        }
    if isinstance(items := found.get("items"), dict):
        found["items"] = _pruned(items)
    return found


def _only(full: MessageT, names: Container[str]) -> MessageT:
    """A copy with the named fields only."""
    found = type(full)()
    found.CopyFrom(full)
    _keep(found, names)
    return found


def _keep(message: Message, names: Container[str]) -> None:
    """Clears all but the named fields, and what is stored of a later release's."""
    for field, _ in message.ListFields():
        if field.name not in names:
            message.ClearField(field.name)
    message.DiscardUnknownFields()
