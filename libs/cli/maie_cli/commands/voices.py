"""`maie voices`: find people again by their voices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from maie.voice.v1 import voice_pb2 as voice
from maie_cli.arguments import DEFAULT_GATEWAY, GatewayOption, JobId, JsonOption, TenantOption
from maie_cli.console import emit, note
from maie_cli.exits import run
from maie_cli.found import print_found
from maie_cli.gateway import gateway_client
from maie_cli.listing import Field, Listing
from maie_cli.times import minute
from maie_client import Client
from maie_client.voices import consent
from maie_core.durations import seconds
from maie_formats.as_json import to_json
from maie_formats.clean import plain

VoiceId = Annotated[str, typer.Argument(metavar="VOICE", help="The voice's id.")]

app = typer.Typer(
    help="Find people again by their voices, with their consent.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def enroll(
    job_id: JobId,
    speaker: Annotated[
        str, typer.Argument(metavar="SPEAKER", help="The speaker of the job, such as S1.")
    ],
    consent_text: Annotated[
        str,
        typer.Option(
            "--consent",
            metavar="TEXT",
            help="Who agreed to what, and where that is recorded.",
        ),
    ],
    consent_time: Annotated[
        datetime | None,
        typer.Option("--consent-time", help="When they agreed, in UTC; now if unset."),
    ] = None,
    name: Annotated[str, typer.Option(help="What people call the person.")] = "",
    segment: Annotated[
        list[str] | None,
        typer.Option(help="A segment to take the voice of; as often as needed. All if unset."),
    ] = None,
    add_to: Annotated[
        str, typer.Option("--add-to", metavar="VOICE", help="Add it to this voice.")
    ] = "",
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Enrol the voice of a speaker of a job, or add the job to a voice with --add-to."""
    if bool(name) == bool(add_to):
        raise typer.BadParameter(
            "name the person with --name, or the voice to add to with --add-to"
        )
    agreed = consent(consent_text, consent_time or datetime.now(UTC))
    made = run(
        _enroll(gateway_client(gateway, tenant), job_id, speaker, name, add_to, agreed, segment)
    )
    emit(to_json(made) if as_json else f"{made.voice_id} is {plain(made.display_name)}")


@app.command("list")
def list_voices(
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """List the voices, by name; with --json, one on each line."""
    found = run(_list(gateway_client(gateway, tenant)))
    nothing = "no voices are enrolled; enrol one with: maie voices enroll JOB S1"
    print_found(found, _listing, as_json=as_json, nothing=nothing)


@app.command()
def show(
    voice_id: VoiceId,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Show a voice with the recordings that it was made of, and the consent to each."""
    found = run(_get(gateway_client(gateway, tenant), voice_id))
    if as_json:
        emit(to_json(found))
        return
    for line in _described(found):
        emit(line)


@app.command()
def rename(
    voice_id: VoiceId,
    name: Annotated[str, typer.Argument(help="What people call the person.")],
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Give a voice another name. Names of speakers in jobs stay."""
    made = run(_rename(gateway_client(gateway, tenant), voice_id, name))
    emit(f"{made.voice_id} is {plain(made.display_name)}")


@app.command()
def delete(
    voice_id: VoiceId,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Delete a voice with all that is stored of it. Names of speakers in jobs stay."""
    run(_delete(gateway_client(gateway, tenant), voice_id))
    emit(f"{plain(voice_id)} is deleted")


@app.command()
def find(
    job_id: JobId,
    as_json: JsonOption = False,
    gateway: GatewayOption = DEFAULT_GATEWAY,
    tenant: TenantOption = "",
) -> None:
    """Show who of the enrolled people may speak in a job. It changes nothing."""
    found = run(_find(gateway_client(gateway, tenant), job_id))
    if as_json:
        emit(to_json(found))
        return
    for speaker in found.speakers:
        for line in _candidates(speaker):
            emit(line)
    note(
        f"from {found.likely_score:.2f} on it is likely the same person; listen, and write the "
        f"name with: maie jobs update {plain(job_id)} --speaker S1=NAME"
    )


async def _enroll(
    client: Client,
    job_id: str,
    speaker: str,
    name: str,
    add_to: str,
    agreed: voice.Consent,
    segments: Sequence[str] | None,
) -> voice.Voice:
    async with client:
        chosen = segments or ()
        if add_to:
            return await client.voices.add(add_to, job_id, speaker, agreed, segment_ids=chosen)
        return await client.voices.enroll(job_id, speaker, name, agreed, segment_ids=chosen)


async def _list(client: Client) -> list[voice.Voice]:
    async with client:
        return [*(await client.voices.list()).voices]


async def _get(client: Client, voice_id: str) -> voice.GetVoiceResponse:
    async with client:
        return await client.voices.get(voice_id)


async def _rename(client: Client, voice_id: str, name: str) -> voice.Voice:
    async with client:
        before = (await client.voices.get(voice_id)).voice
        return await client.voices.rename(voice_id, name, before.revision)


async def _delete(client: Client, voice_id: str) -> None:
    async with client:
        await client.voices.delete(voice_id)


async def _find(client: Client, job_id: str) -> voice.FindVoicesResponse:
    async with client:
        return await client.voices.find(job_id)


def _listing(found: Sequence[voice.Voice]) -> Listing:
    fields = (
        Field(header="voice"),
        Field(header="name", least=12),
        Field(header="clean speech"),
        Field(header="changed (UTC)"),
    )
    return Listing(fields, [_row(each) for each in found])


def _row(each: voice.Voice) -> tuple[str, ...]:
    clean = sum(seconds(engine.clean_duration) for engine in each.engines)
    return (
        plain(each.voice_id),
        plain(each.display_name),
        f"{clean:.1f} s",
        minute(each.update_time),
    )


def _described(found: voice.GetVoiceResponse) -> Iterator[str]:
    yield f"{plain(found.voice.display_name)}, {plain(found.voice.voice_id)}"
    for each in found.enrollments:
        yield (
            f"  {plain(each.speaker)} of job {plain(each.job_id)}: "
            f"{seconds(each.clean_duration):.1f} s, heard by {plain(each.engine.engine)} "
            f"({plain(each.engine.model_name)})"
        )
        agreed = each.consent
        yield f"    {plain(agreed.statement)} ({minute(agreed.consent_time)} UTC)"


def _candidates(speaker: voice.SpeakerCandidates) -> Iterator[str]:
    heard = seconds(speaker.clean_duration)
    yield f"{plain(speaker.speaker)}, of whom {heard:.1f} s are heard alone"
    for each in speaker.candidates:
        likely = "likely" if each.is_likely else ""
        yield f"  {each.score:.2f}  {plain(each.display_name)}  {likely}".rstrip()
    if not speaker.candidates:
        yield "  nobody to compare with"
