"""Puts the audio of a session together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from maie.common.v1 import types_pb2 as common
from maie.live.v1 import session_pb2 as session
from maie_audio.peaks import PEAK_SAMPLES, Peaks
from maie_core.samples import duration
from maie_gateway.live.kept.flac import FlacEncoder
from maie_gateway.live.kept.mix import mixed
from maie_gateway.live.kept.parts import kept_tracks, length
from maie_pipeline.live_session import AUDIO_UNIT
from maie_runtime import folders
from maie_runtime.blobs import Blobs


async def put_together(
    session_id: str, entries: Iterable[session.SessionEntry], blobs: Blobs
) -> common.Blob:
    """Stores the audio of a session that has ended, and its waveform; gives the SessionAudio.

    The same log gives the same file at any gateway. A few seconds of it are in memory at a time.

    Args:
        session_id: The session.
        entries: Its log.
        blobs: Has its parts, and takes the file.

    Raises:
        StageError: UNAVAILABLE: try again; DATA_LOSS with BLOB_MISSING or BLOB_CORRUPT.
    """
    tracks = kept_tracks(entries)
    encoder = FlacEncoder(length(tracks))

    async def read(blob: common.Blob) -> session.AudioPart:
        return await blobs.get_message(blob, session.AudioPart)

    prefix = f"{folders.of_job(session_id)}/{AUDIO_UNIT}"
    peaks = Peaks()
    async with blobs.writer(prefix) as writer:
        await writer.write(encoder.head())
        async for window in mixed(tracks, read):
            peaks.add(window)
            await writer.write(await asyncio.to_thread(encoder.encode, window))
        await writer.write(await asyncio.to_thread(encoder.finish))
    drawn = common.Waveform(interval=duration(PEAK_SAMPLES), peaks=peaks.finish())
    made = session.SessionAudio(
        file=writer.blob(),
        duration=duration(length(tracks)),
        waveform=await blobs.put_message(f"{prefix}-waveform", drawn),
    )
    return await blobs.put_message(prefix, made)
