"""`maie speak`: a text, or the summary of a job, as speech."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from maie.speech.v1 import speech_pb2 as speech
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JsonOption, TenantOption
from maie_cli.console import emit, note
from maie_cli.exits import Exit, leave, run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_client import Client
from maie_client.speech import SPEECH_FORMATS, SpeechFormat
from maie_client.template_of_job import template_of
from maie_core.durations import seconds
from maie_core.limits import MAX_SPEECH_CHARACTERS, MAX_SPEECH_SPEED, MIN_SPEECH_SPEED
from maie_formats.aloud import aloud
from maie_formats.as_json import to_json
from maie_formats.summary import reading

STANDARD = "-"
# What is longer in UTF-8 has too many characters, whatever they are.
MOST_BYTES = 4 * MAX_SPEECH_CHARACTERS
_WAV_HEAD_BYTES = 44

app = typer.Typer(add_completion=False)


@app.command()
def speak(
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT|-]", help="The text; - reads standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="Speak the text of this file.")
    ] = None,
    job_id: Annotated[
        str, typer.Option("--job", metavar="ID", help="Speak the summary of this job.")
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write; its ending says the format. - is standard output.",
        ),
    ] = None,
    voice: Annotated[
        str, typer.Option(help="The voice, by its name; the default one if unset.")
    ] = "",
    speed: Annotated[
        float,
        typer.Option(
            min=MIN_SPEECH_SPEED, max=MAX_SPEECH_SPEED, help="The pace; 1 is the voice's own."
        ),
    ] = 1.0,
    audio_format: Annotated[
        str, typer.Option("--format", help=f"{', '.join(SPEECH_FORMATS)}; the output's if unset.")
    ] = "",
    voices: Annotated[bool, typer.Option("--voices", help="List the voices instead.")] = False,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Speak a text, or the summary of a job, into a file.

    Sentences that cannot be spoken are named on stderr, and the rest is spoken.
    """
    client = gateway_client(gateway, tenant)
    if voices:
        print_found(run(_voices(client)), _listing, as_json=as_json, nothing="there are no voices")
        return
    if sum((text is not None, file is not None, bool(job_id))) != 1:
        raise typer.BadParameter("name one of TEXT, --file and --job")
    if output is None:
        raise typer.BadParameter("name the file to write with --output")
    chosen = _format(audio_format, output)
    source = "" if job_id else _read(text, file)
    result = run(_speak(client, source, job_id, output, voice, speed, chosen))
    for sentence in result.unspoken:
        last = sentence.text_offset + sentence.text_length
        note(f"not spoken: characters {sentence.text_offset} to {last}: {sentence.message}")
    more = result.unspoken_sentences - len(result.unspoken)
    if more:
        note(f"not spoken: {more} more sentences")
    if as_json and str(output) != STANDARD:
        emit(to_json(result))
    else:
        length = f"{seconds(result.duration):.1f} s"
        note(f"{result.spoken_sentences} sentences, {length}, by {result.voice}")


def _format(name: str, output: Path) -> SpeechFormat:
    ending = output.suffix.removeprefix(".").lower()
    chosen = name or {"ogg": "opus", "": "wav"}.get(ending, ending)
    if chosen not in SPEECH_FORMATS:
        raise typer.BadParameter(f"choose a format of {', '.join(SPEECH_FORMATS)} with --format")
    return chosen


def _read(text: str | None, file: Path | None) -> str:
    """The text that was named.

    Raises:
        OSError: The file cannot be read.
    """
    if text is not None and text != STANDARD:
        return text
    if file is None:
        content = sys.stdin.buffer.read(MOST_BYTES + 1)
    else:
        try:
            with file.open("rb") as opened:
                content = opened.read(MOST_BYTES + 1)
        except OSError as error:
            leave(f"{file} cannot be read: {error.strerror}.", Exit.USAGE)
    if len(content) > MOST_BYTES:
        leave(f"A text has at most {MAX_SPEECH_CHARACTERS} characters.", Exit.USAGE)
    return content.decode("utf-8-sig", errors="replace")


async def _speak(
    client: Client,
    text: str,
    job_id: str,
    output: Path,
    voice: str,
    speed: float,
    audio_format: SpeechFormat,
) -> speech.SynthesizeResult:
    async with client:
        source = await _summary(client, job_id) if job_id else text
        spoken = client.speech.synthesize(
            source, voice=voice, speed=speed, audio_format=audio_format
        )
        if str(output) == STANDARD:
            return await _write(spoken, sys.stdout.buffer)
        return await _save(spoken, output, audio_format)


async def _summary(client: Client, job_id: str) -> str:
    found = await client.get_job(job_id)
    if not found.results.HasField("summary"):
        leave(f"The job {job_id} has no summary.", Exit.USAGE)
    template = await template_of(client, found)
    return aloud(reading(found.results.summary, template, found.results.speakers))


async def _save(spoken: Any, output: Path, audio_format: SpeechFormat) -> speech.SynthesizeResult:
    """Writes a file, which is there only once it is whole."""
    temporary = output.with_name(f".{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            result = await _write(spoken, file)
            if audio_format == "wav":
                _close_wav(file)
        temporary.replace(output)
    except OSError as error:
        leave(f"{output} cannot be written: {error.strerror}.", Exit.USAGE)
    finally:
        temporary.unlink(missing_ok=True)
    return result


async def _write(spoken: Any, file: BinaryIO) -> speech.SynthesizeResult:
    result = speech.SynthesizeResult()
    async with aclosing(spoken):
        async for response in spoken:
            if response.HasField("result"):
                result = response.result
            else:
                await asyncio.to_thread(file.write, response.audio.content)
    file.flush()
    return result


def _close_wav(file: BinaryIO) -> None:
    """Writes the length into the head, which was sent before anybody knew it."""
    length = file.tell()
    for place, size in ((4, length - 8), (_WAV_HEAD_BYTES - 4, length - _WAV_HEAD_BYTES)):
        file.seek(place)
        file.write(min(size, 0xFFFFFFFF).to_bytes(4, "little"))


async def _voices(client: Client) -> list[speech.Voice]:
    async with client:
        return await client.speech.voices()


def _listing(voices: Sequence[speech.Voice]) -> Listing:
    fields = [Field(header=header) for header in ("voice", "language", "engine")]
    fields.append(Field(header="description", least=20))
    rows = [(each.name, each.language_code, each.engine, each.description) for each in voices]
    return Listing(fields, rows)
