"""Summaries as speech, which `maie process` saves beside the other results."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import typer

from maie.job.v1 import job_pb2 as job
from maie.speech.v1 import speech_pb2 as speech
from maie_cli.arguments import FeatureName
from maie_cli.batch import Outcome
from maie_cli.exits import Exit, exit_of_error, os_sentence, sentence
from maie_cli.files import ResultError
from maie_client import Client, ClientError, JobOptions
from maie_client.speech import AUDIO_FORMATS

_PREFIX = "AUDIO_FORMAT_"


def digest_options(
    voice: str, speed: float | None, audio_format: str, features: Collection[FeatureName]
) -> JobOptions:
    """How to speak a summary.

    Args:
        voice: The voice's name; empty for the default one.
        speed: The pace; None for the voice's own.
        audio_format: One of `AUDIO_FORMATS`; empty for MP3.
        features: What the job makes.

    Raises:
        typer.BadParameter: There is no such format, or nothing is spoken.
    """
    if not voice and speed is None and not audio_format:
        return {}
    if FeatureName.DIGEST not in features:
        raise typer.BadParameter(
            f"a summary is spoken where --feature {FeatureName.DIGEST} says so",
            param_hint="--voice, --speed, --speech-format",
        )
    if audio_format and audio_format not in AUDIO_FORMATS:
        raise typer.BadParameter(
            f"choose one of {', '.join(AUDIO_FORMATS)}", param_hint="--speech-format"
        )
    options = speech.SpeechOptions(voice=voice, speed=speed or 0)
    if audio_format:
        options.format = AUDIO_FORMATS[audio_format]
    return {"speech_options": options}


async def with_audio(client: Client, outcome: Outcome, folder: Path, name: str) -> Outcome:
    """Saves the summary as speech as `NAME.digest.FORMAT`, and says where it is, or why it is not.

    Args:
        client: The connection.
        outcome: What became of a recording.
        folder: Where to save it.
        name: The file's name, which may be that of the recording.
    """
    finished = outcome.finished
    if finished is None or not finished.job.results.HasField("digest"):
        return outcome
    path = folder / f"{name}.digest.{ending_of(finished.job)}"
    try:
        await client.save_audio(finished.job.job_id, path, digest=True)
    except ClientError as error:
        return replace(outcome, code=exit_of_error(error), message=sentence(error))
    except OSError as error:
        named = ResultError(error.errno, error.strerror, str(path))
        return replace(outcome, code=Exit.USAGE, message=os_sentence(named))
    return replace(outcome, audio=path)


def ending_of(done: job.Job) -> str:
    """The ending of a file with a job's digest."""
    return speech.AudioFormat.Name(done.results.digest.format).removeprefix(_PREFIX).lower()
