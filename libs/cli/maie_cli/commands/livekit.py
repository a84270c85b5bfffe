"""`maie livekit`: transcribes a LiveKit room."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from types import ModuleType
from typing import Annotated, Any

import typer

from maie_cli.arguments import (
    DEFAULT_GATEWAY,
    FeatureName,
    GatewayOption,
    LabelsOption,
    TenantOption,
)
from maie_cli.exits import EXIT_CODES, Exit, leave, run
from maie_cli.gateway import gateway_client
from maie_cli.live.afterwards import show_results
from maie_cli.live.arguments import (
    CAPTIONS_ONLY,
    INTERRUPTED,
    EventsOption,
    FeaturesOption,
    KeepAudioOption,
    LanguageOption,
    NameOption,
    OtherGatewaysOption,
    PartialsOption,
    RefineOption,
    TemplateOption,
    TurnsOption,
    live_options,
    wanted,
)
from maie_cli.options import (
    AsrOptions,
    ChunkSecondsOption,
    EnhancementOptions,
    SummaryOptions,
    stage_options,
)
from maie_cli.secret_variables import WHY, needed_secret
from maie_client import Client
from maie_core.redaction import names_user

NEEDS_SDK = "Joining rooms needs LiveKit's SDK; install it with: pip install 'maie-cli[livekit]'"
OF_THE_EXTRA = frozenset({"livekit", "maie_livekit"})

app = typer.Typer(add_completion=False)


@app.command(epilog=EXIT_CODES)
def livekit(
    room: Annotated[str, typer.Argument(metavar="ROOM", help="The room's name.")],
    url: Annotated[
        str,
        typer.Option(
            "--url",
            envvar="LIVEKIT_URL",
            metavar="URL",
            help="The LiveKit server, such as wss://livekit.example.com.",
        ),
    ],
    api_key: Annotated[
        str,
        typer.Option(
            "--api-key",
            envvar="LIVEKIT_API_KEY",
            help="The name of an API key. Its secret is in LIVEKIT_API_SECRET, or in the file that "
            "LIVEKIT_API_SECRET_FILE names.",
        ),
    ],
    identity: Annotated[
        str,
        typer.Option(help="Who joins; an earlier participant of that identity is removed."),
    ] = "maie",
    publish: Annotated[
        bool,
        typer.Option(
            "--publish", help="Show the text to the room's participants, as text streams."
        ),
    ] = False,
    feature: FeaturesOption = None,
    template: TemplateOption = "",
    refine: RefineOption = False,
    as_json: EventsOption = False,
    language: LanguageOption = "",
    asr_options: AsrOptions = None,
    partials: PartialsOption = None,
    turns: TurnsOption = None,
    keep_audio: KeepAudioOption = False,
    enhancement_options: EnhancementOptions = None,
    summary_options: SummaryOptions = None,
    chunk_seconds: ChunkSecondsOption = None,
    label: LabelsOption = None,
    name: NameOption = "",
    gateway: GatewayOption = DEFAULT_GATEWAY,
    other_gateway: OtherGatewaysOption = None,
    tenant: TenantOption = "",
) -> None:
    """Transcribe a LiveKit room: each audio track is a track of a live session.

    Captions go to stdout, everything else to stderr. The session ends with the room, or with
    Ctrl-C; it is a job, and `maie jobs` looks after it.
    """
    features = wanted(feature, template, refine=refine)
    options = live_options(
        features=features,
        template=template,
        language=language,
        labels=label,
        name=name or room,
        partials=partials,
        turns=turns,
        keep_audio=keep_audio,
        refine=refine,
        chunk_seconds=chunk_seconds,
        stages=stage_options(asr_options or (), enhancement_options or (), summary_options or ()),
    )
    if names_user(url):
        leave(f"A LiveKit server takes no user and password in its URL, and {WHY}.", Exit.USAGE)
    api_secret = needed_secret("LIVEKIT_API_SECRET", "the secret of the API key")
    rooms = _rooms()
    client = gateway_client(gateway, tenant)
    work = rooms.transcribe(
        rooms.joining(url=url, key=api_key, secret=api_secret, room=room, identity=identity),
        client,
        options,
        gateways=other_gateway or (),
        publish=publish,
        as_json=as_json,
    )
    raise typer.Exit(run(_finish(client, work, features, as_json=as_json)))


def _rooms() -> ModuleType:
    """The module that needs LiveKit's SDK."""
    try:
        from maie_cli.live import room
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in OF_THE_EXTRA:
            raise
        leave(NEEDS_SDK, Exit.USAGE)
    return room


async def _finish(
    client: Client,
    work: Coroutine[Any, Any, tuple[str, bool]],
    features: Sequence[FeatureName],
    *,
    as_json: bool,
) -> int:
    async with client:
        try:
            job_id, whole = await work
        except asyncio.CancelledError:  # Ctrl-C twice
            return INTERRUPTED
        if whole and set(features) <= set(CAPTIONS_ONLY):
            return Exit.OK
        clean = FeatureName.CLEAN_TRANSCRIPT in features
        return await show_results(client, job_id, clean=clean, as_json=as_json)
