"""Options that the commands for live speech share."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer

from maie.asr.v1 import streaming_pb2 as streaming
from maie_cli.arguments import FeatureName, parse_labels
from maie_cli.options import option_names, parse_options
from maie_client import LiveOptions, SharedOptions

INTERRUPTED = 130  # 128 + SIGINT, as in shells
CAPTIONS_ONLY = [FeatureName.RAW_TRANSCRIPT]
REFINED = [FeatureName.RAW_TRANSCRIPT, FeatureName.CLEAN_TRANSCRIPT]
WITH_TEMPLATE = [FeatureName.RAW_TRANSCRIPT, FeatureName.CLEAN_TRANSCRIPT, FeatureName.SUMMARY]

FeaturesOption = Annotated[
    list[FeatureName] | None,
    typer.Option(
        metavar="FEATURE",
        help=f"What to make, as often as needed: {', '.join(FeatureName)}. Without any: the "
        "raw transcript, and with --refine or a template all that it needs.",
    ),
]
TemplateOption = Annotated[
    str,
    typer.Option(
        metavar="ID", help="The template that the summary fills at the end; see `maie templates`."
    ),
]
EventsOption = Annotated[bool, typer.Option("--json", help="Print each event as JSON, on a line.")]
LanguageOption = Annotated[str, typer.Option(metavar="TAG", help="The language, such as en.")]
RefineOption = Annotated[
    bool,
    typer.Option(
        "--refine",
        help="Show each utterance with punctuation and casing, some seconds later, where the ASR "
        "engine writes none.",
    ),
]
SeveralSpeakersOption = Annotated[
    bool,
    typer.Option(
        "--several-speakers",
        help="Tell apart several people who share a track, such as a microphone in a room: each "
        "utterance is shown with its speaker, some seconds later.",
    ),
]
TurnsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--turns",
        metavar="NAME=VALUE",
        help="When an utterance begins and ends, repeatable; times in seconds: "
        f"{option_names(streaming.TurnOptions.DESCRIPTOR)}.",
    ),
]


class LiveChannels(enum.StrEnum):
    """How several channels are read."""

    MIX = "mix"
    SPLIT = "split"


ChannelsOption = Annotated[
    LiveChannels,
    typer.Option(
        "--channels",
        help="What to do with several channels of a file: mix them, or split them (a speaker or "
        "one side of a call each).",
    ),
]
PartialsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--partials",
        metavar="NAME=VALUE",
        help="When partial results come, repeatable; times in seconds: "
        f"{option_names(streaming.PartialOptions.DESCRIPTOR)}.",
    ),
]
KeepAudioOption = Annotated[
    bool,
    typer.Option(
        "--keep-audio", help="Keep the audio with the job; `maie jobs audio JOB` saves it."
    ),
]
NameOption = Annotated[str, typer.Option(help="The job's display name.")]
OtherGatewaysOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST:PORT",
        help="A further gateway of the mesh, to go on at when the first stops; as often as needed.",
    ),
]


def wanted(
    features: list[FeatureName] | None,
    template: str,
    *,
    refine: bool,
    several_speakers: bool = False,
) -> list[FeatureName]:
    """What to make of a session."""
    made = REFINED if refine else CAPTIONS_ONLY
    if features or template:
        made = features or WITH_TEMPLATE
    if several_speakers and FeatureName.SPEAKERS not in made:
        return [*made, FeatureName.SPEAKERS]
    return made


def live_options(
    *,
    features: Sequence[FeatureName],
    template: str,
    language: str,
    labels: Sequence[str] | None,
    name: str,
    partials: Sequence[str] | None,
    turns: Sequence[str] | None,
    keep_audio: bool,
    refine: bool,
    chunk_seconds: float | None,
    stages: SharedOptions,
    several_speakers: bool = False,
) -> LiveOptions:
    """The options of a session.

    Raises:
        typer.BadParameter: A label or a value cannot be.
    """
    options: LiveOptions = {
        "features": features,
        "template_id": template,
        "language_code": language,
        "labels": parse_labels(labels or ()),
        "display_name": name,
        "keep_audio": keep_audio,
        "refinements": refine,
        "several_speakers": several_speakers,
    }
    options = {**options, **stages}
    if partials:
        options["partials"] = parse_options(partials, streaming.PartialOptions(), "--partials")
    if chunk_seconds is not None:
        options["chunk_duration"] = timedelta(seconds=chunk_seconds)
    if turns:
        options["turns"] = parse_options(turns, streaming.TurnOptions(), "--turns")
    return options
