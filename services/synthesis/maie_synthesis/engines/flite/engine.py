"""The engine `flite`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from maie.common.v1 import types_pb2 as common
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_synthesis.engine import EngineVoice, SpokenPiece, SpokenToken
from maie_synthesis.engines.flite.pool import FlitePool
from maie_synthesis.engines.flite.process import FliteError, ProcessDiedError
from maie_synthesis.settings import SynthesisSettings
from maie_synthesis.text.tokens import Piece

LANGUAGE = "en-US"
VOICES = {
    "slt": ("cmu_us_slt", "A woman from the United States."),
    "rms": ("cmu_us_rms", "A man from the United States."),
    "awb": ("cmu_us_awb", "A man from Scotland, who speaks American English."),
    "kal16": ("cmu_us_kal16", "A man from the United States; quicker and more like a machine."),
}
"""The library and the description of each voice, the default one first."""
_VERSION = re.compile(r"\.so\.([0-9.]+)$")


class FliteEngine:
    """Flite, in processes that can be killed.

    Args:
        pool: The processes.
        files: Flite's own files, for the version.
    """

    description = "CMU Flite: small English voices that need no GPU and no download."
    voices = tuple(
        EngineVoice(name=name, description=description, language=LANGUAGE)
        for name, (_, description) in VOICES.items()
    )
    vram_bytes = 0
    weights = None

    def __init__(self, pool: FlitePool, files: Iterable[Path]) -> None:
        self._pool = pool
        found = list(files)
        number = next((made[1] for each in found if (made := _VERSION.search(each.name))), "")
        self._version = common.EngineVersion(
            engine="flite",
            library=f"flite {number}".strip(),
            model_name="cmu_us",
            checkpoint_sha256=_digest(found),
            compute_type="int16",
            device="cpu",
            parameters={"voices": json.dumps(list(VOICES))},
        )

    @property
    def version(self) -> common.EngineVersion:
        """The library, and the digest of it and its voices."""
        return self._version

    async def speak(self, piece: Piece, voice: str, speed: float) -> SpokenPiece:
        """Speaks a piece; see `Engine.speak`."""
        library, _ = VOICES[voice]
        raw, rate, words = await self._pool.speak(piece.spoken.encode("ascii"), library, speed)
        samples = np.frombuffer(raw, np.int16)
        counts = [len(token.words.split()) for token in piece.tokens]
        # Flite is given nothing that it would take apart; if it did, times would be of other words.
        if len(words) != sum(counts):
            return SpokenPiece(samples=samples, rate=rate)
        tokens, place = [], 0
        for number, count in enumerate(counts):
            start, end = words[place][0], words[place + count - 1][1]
            tokens.append(SpokenToken(token=number, start=start, end=max(start, end)))
            place += count
        return SpokenPiece(samples=samples, rate=rate, tokens=tuple(tokens))


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for each in files:
        digest.update(hashlib.sha256(each.read_bytes()).digest())
    return digest.hexdigest()


@asynccontextmanager
async def create(settings: SynthesisSettings) -> AsyncIterator[FliteEngine]:
    """Starts a process for each slot.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED.
    """
    libraries = tuple(library for library, _ in VOICES.values())
    with ThreadPoolExecutor(settings.slots, "flite") as executor:
        pool = FlitePool(libraries, executor, settings.sentence_seconds)
        try:
            try:
                files = await pool.start(settings.slots)
            except (FliteError, ProcessDiedError) as error:
                raise StageError(
                    Code.FAILED_PRECONDITION,
                    Reason.ENGINE_NOT_INSTALLED,
                    f"The engine flite needs the library Flite ({error or 'it died'}); on Debian, "
                    "install it with: apt install libflite1.",
                ) from error
            yield FliteEngine(pool, files)
        finally:
            pool.stop()
