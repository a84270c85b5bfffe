"""Options that several commands share."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from maie_cli.mesh.options import DEFAULT_DATA, GATEWAY_PORT, STAGES
from maie_cli.mesh.profiles import PROFILES

DEFAULT_GATEWAY = f"localhost:{GATEWAY_PORT}"

ChannelName = Literal["mix", "split", "auto"]
FormatName = Literal["txt", "json", "srt", "vtt", "tsv", "md", "rttm"]
FileFormatName = Literal["txt", "json", "srt", "vtt", "tsv", "md", "rttm", "docx", "pdf"]


class FeatureName(enum.StrEnum):
    """The features as on the command line."""

    RAW_TRANSCRIPT = "raw_transcript"
    CLEAN_TRANSCRIPT = "clean_transcript"
    SUMMARY = "summary"
    ENHANCEMENT_METRICS = "enhancement_metrics"
    SPEAKERS = "speakers"
    QUALITY = "quality"
    DIGEST = "digest"
    READING = "reading"


class StateName(enum.StrEnum):
    """The states of jobs as on the command line."""

    PENDING = "PENDING"
    PREPROCESSING = "PREPROCESSING"
    PROCESSING_ASR = "PROCESSING_ASR"
    PROCESSING_LLM = "PROCESSING_LLM"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
GatewayOption = Annotated[
    str,
    typer.Option(
        "--gateway", envvar="MAIE_GATEWAY", metavar="HOST:PORT", help="The gateway to talk to."
    ),
]
TenantOption = Annotated[
    str,
    typer.Option(
        "--tenant",
        envvar="MAIE_TENANT",
        metavar="NAME",
        help="The tenant of the jobs; the gateway's default tenant if unset.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON with the field names of the contract.")
]
DataOption = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Where the mesh keeps its things.")
]
BlobUrlOption = Annotated[
    str,
    typer.Option(
        "--blob-url",
        metavar="URL",
        help="Where recordings and results are kept, such as s3://BUCKET/PREFIX; the folder notes "
        "it for the next start. Unset: in the folder.",
    ),
]
ProfileOption = Annotated[
    str, typer.Option("--profile", help=f"Which engines run: {' or '.join(PROFILES)}.")
]
WorkersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--workers",
        metavar="STAGE=N",
        help=f"How many processes of a stage ({', '.join(STAGES)}) run; as often as needed.",
    ),
]

LabelsOption = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="A label; as often as needed."),
]

__all__ = [
    "DEFAULT_DATA",
    "DEFAULT_GATEWAY",
    "BlobUrlOption",
    "ChannelName",
    "DataOption",
    "FeatureName",
    "FileFormatName",
    "FormatName",
    "GatewayOption",
    "JsonOption",
    "LabelsOption",
    "ProfileOption",
    "StateName",
    "TenantOption",
    "WorkersOption",
    "parse_labels",
    "parse_speaker_names",
    "parse_workers",
]


def parse_labels(pairs: Sequence[str]) -> dict[str, str]:
    """Parses "team=sales"; the value may be empty.

    Raises:
        typer.BadParameter: It is not of that form.
    """
    return _parse_pairs(pairs, "KEY=VALUE", "--label")


def parse_speaker_names(pairs: Sequence[str]) -> dict[str, str]:
    """Parses "S1=Anna"; the name may be empty.

    Raises:
        typer.BadParameter: It is not of that form.
    """
    return _parse_pairs(pairs, "ID=NAME, such as S1=Anna", "--speaker")


def _parse_pairs(pairs: Sequence[str], form: str, flag: str) -> dict[str, str]:
    parsed = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"write {form}, not {pair!r}", param_hint=flag)
        parsed[key] = value
    return parsed


def parse_workers(pairs: Sequence[str]) -> dict[str, int]:
    """Parses "asr=2".

    Raises:
        typer.BadParameter: It is not of that form.
    """
    workers = {}
    for pair in pairs:
        stage, _, count = pair.partition("=")
        if not count.isdecimal():
            raise typer.BadParameter(
                f"write STAGE=N, such as asr=2, not {pair!r}", param_hint="--workers"
            )
        workers[stage] = int(count)
    return workers
