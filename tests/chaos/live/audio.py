"""Compares the audio that a session kept with what its client said, sample by sample."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from maie.live.v1 import session_pb2 as session
from maie_client import Client, ClientError
from maie_core.samples import SAMPLE_NANOSECONDS
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.speech import OPUS, sound_of
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import LiveWorld


async def check_audio(
    world: LiveWorld, talk: Talk, entries: Sequence[session.SessionEntry], outcome: LiveOutcome
) -> None:
    """Adds what is wrong with the audio of a session whose job is complete."""
    if talk.script.sound == OPUS:
        return  # it loses samples by itself
    session_id = talk.journal.session_id
    path = world.folder / f"{session_id}.flac"

    async def save(client: Client) -> None:
        await client.save_audio(session_id, path)

    try:
        await world.ask(save)
    except ClientError as error:
        outcome.blame("lost", session_id, f"its audio: {error.reason}: {error.message}")
        return
    kept = await asyncio.to_thread(_decoded, path)
    said = _said(talk, entries)
    wrong = np.flatnonzero(kept[: len(said)] != said[: len(kept)])
    if len(kept) != len(said) or len(wrong):
        first = wrong[0] if len(wrong) else min(len(kept), len(said))
        outcome.blame(
            "lost",
            session_id,
            f"its audio has {len(kept)} samples of {len(said)}, and is another from {first} on",
        )


def _decoded(path: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    with av.open(str(path)) as file:
        frames = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
    return np.concatenate(frames or [np.zeros(0, np.int16)])


def _said(
    talk: Talk, entries: Sequence[session.SessionEntry]
) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """The tracks of the script, each from where the log says that it began, added."""
    begins = {
        entry.track_began.join.track: entry.track_began.offset.ToNanoseconds()
        for entry in entries
        if entry.HasField("track_began")
    }
    placed = [
        (
            round(begins[str(number)] / SAMPLE_NANOSECONDS),
            np.tile(sound_of(number, talk.script.sound), talk.script.rounds.get(number, 1)),
        )
        for number in talk.script.tracks
    ]
    total = np.zeros(max(begin + len(sound) for begin, sound in placed), np.int32)
    for begin, sound in placed:
        total[begin : begin + len(sound)] += sound
    return np.clip(total, -32768, 32767).astype(np.int16)
