"""A live session from its sources to its captions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from maie.live.v1 import live_pb2 as live
from maie_cli.arguments import FeatureName
from maie_cli.console import err, note
from maie_cli.live.captions import Captions, captions_of
from maie_cli.live.sources import Source
from maie_cli.live.speaking import Speaker
from maie_cli.live.stopping import stoppable
from maie_client import Client, LiveOptions, LiveSession
from maie_core.durations import seconds


async def listen(
    client: Client,
    sources: Mapping[str, Source],
    options: LiveOptions,
    *,
    gateways: Sequence[str],
    fast: bool,
    as_json: bool,
) -> tuple[str, bool]:
    """Sends the sources to a session, and shows what is said, to its end.

    Args:
        client: The connection; open.
        sources: The sources by track.
        options: The options of the session.
        gateways: Further gateways.
        fast: Whether to send files as fast as they are taken.
        as_json: Whether to print events as JSON.

    Returns:
        The session's job, and whether all was sent that should be; False where
        somebody else ended the session.

    Raises:
        OSError: A source cannot be read.
        ClientError: The session is refused, or cannot go on.
    """
    async with _opened(sources) as formats:
        options["format"] = next(iter(formats.values()))
        async with client.live(gateways=gateways, **options) as session:
            if err.is_terminal:
                note(f"listening as job {session.session_id}; Ctrl-C ends it")
            # Without --json, the document of the results has it.
            awaits = as_json and FeatureName.SUMMARY in options.get("features", ())
            speaker = Speaker(session, sources, formats, fast=fast, await_summary=awaits)
            try:
                await _converse(session, speaker, _names(sources), as_json=as_json)
            except BaseException:
                note(f"what was said so far is in job {session.session_id}")
                raise
            ended = await session.end()
    note_end(ended)
    return ended.job_id, speaker.ending


def note_end(ended: live.SessionEnded) -> None:
    """Prints what became of a session."""
    length, count = seconds(ended.audio_duration), ended.final_count
    note(f"job {ended.job_id}: {length:.1f} s of audio, {count} utterance{'s' * (count != 1)}")


@asynccontextmanager
async def _opened(sources: Mapping[str, Source]) -> AsyncIterator[Mapping[str, live.AudioFormat]]:
    """Opens all sources; gives their formats by track."""
    try:
        yield {track: await source.open() for track, source in sources.items()}
    finally:
        for source in sources.values():
            await source.close()


async def _converse(
    session: LiveSession, speaker: Speaker, names: Mapping[str, str], *, as_json: bool
) -> None:
    speaking = asyncio.create_task(speaker.speak())
    try:
        async with captions_of(session, names, as_json=as_json) as captions:
            with stoppable(partial(_stop, speaker, captions)):
                async for event in session:
                    captions.show(event)
                if speaker.ending:
                    await speaking
                else:
                    captions.note("somebody else has ended the session")
    finally:
        speaking.cancel()
        await asyncio.gather(speaking, return_exceptions=True)


def _stop(speaker: Speaker, captions: Captions) -> None:
    captions.note("ending the session; Ctrl-C once more leaves it at once")
    speaker.stop()


def _names(sources: Mapping[str, Source]) -> dict[str, str]:
    """Who speaks in each track; nobody needs a name where there is one."""
    return {track: source.name if len(sources) > 1 else "" for track, source in sources.items()}
