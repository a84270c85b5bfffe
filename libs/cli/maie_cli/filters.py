"""Options that say which jobs a command is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from maie.job.v1 import job_pb2 as job
from maie_cli.arguments import StateName, parse_labels
from maie_cli.times import in_utc
from maie_client import JobFilters

StateFilter = Annotated[
    list[StateName] | None,
    typer.Option("--state", help="Only jobs in this state; as often as needed."),
]
LabelFilter = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="KEY=VALUE", help="Only jobs with this label; as often as needed."
    ),
]
SinceFilter = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        metavar="TIME",
        callback=in_utc,
        help="Only jobs accepted at this time or later: 2026-11-21 or 2026-11-21T09:30, in UTC, "
        "or with an offset such as +01:00.",
    ),
]
UntilFilter = Annotated[
    datetime | None,
    typer.Option(
        "--until", metavar="TIME", callback=in_utc, help="Only jobs accepted before this time."
    ),
]
TemplateFilter = Annotated[
    str, typer.Option("--template", metavar="ID", help="Only jobs that fill this template.")
]
LanguageFilter = Annotated[
    str,
    typer.Option(
        "--language",
        metavar="TAG",
        help="Only finished jobs in this language; 'en' is 'en-GB' too.",
    ),
]
SpeakerFilter = Annotated[
    str,
    typer.Option(
        "--speaker",
        metavar="NAME",
        help="Only jobs with a speaker of this name, or of a name with these words.",
    ),
]


def filters_of(
    *,
    states: Sequence[StateName] | None,
    labels: Sequence[str] | None,
    since: datetime | None,
    until: datetime | None,
    template: str,
    language: str,
    speaker: str,
) -> JobFilters:
    """The filters of the options, as the client takes them."""
    return JobFilters(
        states=[getattr(job, f"JOB_STATE_{name}") for name in states or ()],
        labels=parse_labels(labels or ()),
        accepted_from=since,
        accepted_until=until,
        template_id=template,
        language_code=language,
        speaker=speaker,
    )
