"""Parses options of the contract as NAME=VALUE, by the names of its fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

import typer
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_cli.arguments import ChannelName, FeatureName
from maie_client import JobOptions, SharedOptions
from maie_client.text import sendable

DURATION = "google.protobuf.Duration"
MAX_DURATION_SECONDS = 24 * 3600
ALL_TRACKS = "all"
MAX_TRACK = 2**31 - 1  # of an int32
AUTO = "auto"
# A gateway says which numbers are possible.
_SPEAKERS = re.compile(rf"{AUTO}|([0-9]{{1,9}})|([0-9]{{1,9}})-([0-9]{{1,9}})")
SWITCHES = {"true": True, "false": False}

MessageT = TypeVar("MessageT", bound=Message)
NumberT = TypeVar("NumberT", int, float)


def stage_options(
    of_asr: Sequence[str], of_enhancement: Sequence[str], of_summary: Sequence[str]
) -> SharedOptions:
    """The options for a job's stages.

    Raises:
        typer.BadParameter: There is no such option, or it has no such value.
    """
    options: SharedOptions = {}
    if of_asr:
        options["asr_options"] = parse_options(of_asr, asr.TranscribeOptions(), "--asr")
    if of_enhancement:
        options["enhancement_generation"] = parse_options(
            of_enhancement, common.GenerationOptions(), "--enhancement"
        )
    if of_summary:
        options["summary_generation"] = parse_options(
            of_summary, common.GenerationOptions(), "--summary"
        )
    return options


def recording_options(channels: ChannelName | None, track: str) -> JobOptions:
    """The channels and tracks to transcribe.

    Args:
        channels: What to do with several channels; unset: the mesh's own setting.
        track: The number of an audio track, or "all"; empty: the mesh chooses.

    Raises:
        typer.BadParameter: There can be no such track.
    """
    if channels is None and not track:
        return {}
    options = preprocess.RecordingOptions()
    if channels is not None:
        kind = cast(Descriptor, options.DESCRIPTOR)
        options.channels = _named(_enum_names(kind.fields_by_name["channels"]), channels)
    if track == ALL_TRACKS:
        options.all_tracks = True
    elif track:
        options.track = _track(track)
    return {"recording_options": options}


def _track(typed: str) -> int:
    if typed.isascii() and typed.isdecimal() and 1 <= int(typed) <= MAX_TRACK:
        return int(typed)
    raise typer.BadParameter(
        f"write the number of a track, from 1, or {ALL_TRACKS}, not {typed!r}", param_hint="--track"
    )


def reading_options(text: Path | None, features: Collection[FeatureName]) -> JobOptions:
    """The text that a recording is compared with.

    Args:
        text: The file that has it, in UTF-8; None without one.
        features: What the job makes.

    Raises:
        typer.BadParameter: It cannot be read, or one of text and feature is without the other.
    """
    wanted = FeatureName.READING in features
    if text is None:
        if wanted:
            raise typer.BadParameter(
                f"the feature {FeatureName.READING} needs the text that should have been read",
                param_hint="--reading-text",
            )
        return {}
    if not wanted:
        raise typer.BadParameter(
            f"a text is compared where --feature {FeatureName.READING} says so",
            param_hint="--reading-text",
        )
    try:
        return {"reading_text": text.read_text(encoding="utf-8-sig")}
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(
            f"{text} is not a text file in UTF-8 that can be read", param_hint="--reading-text"
        ) from error


def speaker_options(typed: str) -> JobOptions:
    """What is known of the number of speakers.

    Args:
        typed: "auto", a number such as "2", or bounds such as "2-4".

    Raises:
        typer.BadParameter: It is none of them.
    """
    options = diarization.SpeakerOptions()
    found = _SPEAKERS.fullmatch(typed)
    if found is None:
        raise typer.BadParameter(
            f"write {AUTO}, a number such as 2, or bounds such as 2-4, not {typed!r}",
            param_hint="--speakers",
        )
    count, least, most = found.groups()
    if count:
        options.speaker_count = int(count)
    elif least:
        options.min_speaker_count, options.max_speaker_count = int(least), int(most)
    return {"speaker_options": options}


def parse_options(pairs: Sequence[str], options: MessageT, flag: str) -> MessageT:
    """Parses "temperatures=0,0.2", "task=translate" or "min_silence=0.5".

    Args:
        pairs: The command-line values.
        options: The message to fill.
        flag: Their option, for the error.

    Raises:
        typer.BadParameter: There is no such option, or it has no such value.
    """
    leaves = {path[-1].name: path for path in _leaves(cast(Descriptor, options.DESCRIPTOR))}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in leaves:
            known = ", ".join(leaves)
            raise typer.BadParameter(
                f"write NAME=VALUE with a name out of {known}, not {pair!r}", param_hint=flag
            )
        try:
            _set(options, leaves[name], value)
        except ValueError as error:
            raise typer.BadParameter(f"{name}: {error}", param_hint=flag) from None
    return options


def _leaves(kind: Descriptor) -> Iterator[tuple[FieldDescriptor, ...]]:
    for field in kind.fields:
        if field.message_type is None or field.message_type.full_name == DURATION:
            yield (field,)
        else:
            yield from ((field, *path) for path in _leaves(field.message_type))


def _set(options: Message, path: tuple[FieldDescriptor, ...], value: str) -> None:
    *above, field = path
    inner: Any = options
    for step in above:
        inner = getattr(inner, step.name)
    if field.is_repeated:
        values = [_value(field, each.strip()) for each in value.split(",")]
        del getattr(inner, field.name)[:]
        getattr(inner, field.name).extend(values)
    elif field.message_type is not None:
        seconds = _number(float, value, "number of seconds")
        if not abs(seconds) <= MAX_DURATION_SECONDS:
            raise ValueError(f"{value!r} is no number of seconds up to {MAX_DURATION_SECONDS}")
        getattr(inner, field.name).FromNanoseconds(round(seconds * 1e9))
    else:
        setattr(inner, field.name, _value(field, value))


def _value(field: FieldDescriptor, value: str) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return sendable(value)
        case FieldDescriptor.CPPTYPE_BOOL:
            return _named(SWITCHES, value)
        case FieldDescriptor.CPPTYPE_ENUM:
            return _named(_enum_names(field), value)
        case FieldDescriptor.CPPTYPE_INT32 | FieldDescriptor.CPPTYPE_INT64:
            return _number(int, value, "whole number")
        case _:
            return _number(float, value, "number")


def _number(kind: type[NumberT], value: str, what: str) -> NumberT:
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{value!r} is no {what}") from None


def _enum_names(field: FieldDescriptor) -> dict[str, int]:
    """The values without their common prefix, such as "translate"."""
    assert field.enum_type is not None
    unspecified, *values = field.enum_type.values
    prefix = unspecified.name.removesuffix("UNSPECIFIED")
    return {value.name.removeprefix(prefix).lower(): value.number for value in values}


def _named(names: Mapping[str, Any], value: str) -> Any:
    if value.lower() not in names:
        raise ValueError(f"{value!r} is none of {', '.join(names)}")
    return names[value.lower()]


def option_names(kind: Descriptor) -> str:
    """The names of a message's options, with commas."""
    return ", ".join(path[-1].name for path in _leaves(kind))


AsrOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--asr",
        metavar="NAME=VALUE",
        help="An ASR option, repeatable; lists with commas, times in seconds: "
        f"{option_names(asr.TranscribeOptions.DESCRIPTOR)}.",
    ),
]
EnhancementOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--enhancement",
        metavar="NAME=VALUE",
        help="A sampling parameter of the clean transcript's language model, repeatable: "
        f"{option_names(common.GenerationOptions.DESCRIPTOR)}.",
    ),
]
SummaryOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--summary",
        metavar="NAME=VALUE",
        help="The same for the summary's language model.",
    ),
]
ChunkSecondsOption = Annotated[
    float | None, typer.Option(min=5, max=1800, help="The target length of chunks.")
]
ChannelsOption = Annotated[
    ChannelName | None,
    typer.Option(
        "--channels",
        help="What to do with several channels: mix them, split them (a speaker or one side "
        "of a call each), or choose by the recording.",
    ),
]
SpeakersOption = Annotated[
    str,
    typer.Option(
        "--speakers",
        metavar=f"{AUTO}|N|MIN-MAX",
        help="Say who speaks, and how many they are if you know it.",
    ),
]
TrackOption = Annotated[
    str,
    typer.Option(
        "--track",
        metavar="N|all",
        help="The audio track to transcribe, from 1, or all of them; the recording's default if "
        "unset.",
    ),
]
