"""Audio from standard input."""

from __future__ import annotations

import io
import os
import sys
import wave
from typing import BinaryIO

from maie_cli.live.sources import (
    SAMPLE_BYTES,
    Opened,
    Pieces,
    SourceError,
    ThreadSource,
    piece_frames,
)
from maie_client import linear16

STDIN = 0
_RIFF = b"RIFF"
RAW_ONLY = (
    "Standard input is a WAV file, but not one of 16-bit PCM; convert it, or send raw samples."
)


def stdin_source(rate_hertz: int, *, split: bool = False) -> ThreadSource:
    """Raw 16-bit mono samples, or a WAV file.

    Args:
        rate_hertz: The rate of raw samples.
        split: Whether each channel of a WAV file is recognised by itself. Else they are mixed.
    """
    return ThreadSource("", lambda: _opened(rate_hertz, split=split))


def _opened(rate_hertz: int, *, split: bool) -> Opened:
    if sys.stdin.isatty():
        raise SourceError("Standard input is a terminal; pipe audio into this command.")
    # Unbuffered: a piece is sent as soon as it is there.
    file = io.BufferedReader(io.FileIO(os.dup(STDIN)), buffer_size=len(_RIFF))
    is_wave = file.peek(len(_RIFF)).startswith(_RIFF)
    return _wave(file, split=split) if is_wave else _raw(file, rate_hertz)


def _raw(file: BinaryIO, rate_hertz: int) -> Opened:
    size = piece_frames(rate_hertz) * SAMPLE_BYTES

    def pieces() -> Pieces:
        while piece := file.read(size):
            # Half a sample at the end is none.
            yield piece[: len(piece) - len(piece) % SAMPLE_BYTES]

    return linear16(rate_hertz), pieces()


def _wave(file: BinaryIO, *, split: bool) -> Opened:
    try:
        reader = wave.open(file)  # noqa: SIM115 # closed with the process
    except (wave.Error, EOFError) as error:
        raise SourceError(RAW_ONLY) from error
    if reader.getsampwidth() != SAMPLE_BYTES:
        raise SourceError(RAW_ONLY)
    frames = piece_frames(reader.getframerate())
    frame = SAMPLE_BYTES * reader.getnchannels()

    def pieces() -> Pieces:
        while piece := reader.readframes(frames):
            yield piece[: len(piece) - len(piece) % frame]

    return linear16(reader.getframerate(), reader.getnchannels(), split=split), pieces()
