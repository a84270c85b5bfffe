"""Sound that the loud engine hears words in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tests.gateway.live.loud_asr import level_of

RATE = 16_000


def word(number: int, seconds: float = 0.4, rate: int = RATE) -> bytes:
    """A square wave of a word's level."""
    count = round(seconds * rate)
    signs = np.where(np.arange(count) // (rate // 1000 * 2) % 2, 1, -1)
    return (signs * level_of(number)).astype("<i2").tobytes()


def pause(seconds: float = 0.3, rate: int = RATE) -> bytes:
    """Silence."""
    return b"\0\0" * round(seconds * rate)


def said(words: Iterable[int]) -> bytes:
    """Words with pauses around them."""
    return pause(0.1) + b"".join(word(each) + pause() for each in words)


def interleaved(*sides: bytes) -> bytes:
    """Sounds as the channels of one; shorter ones are followed by silence."""
    longest = max(map(len, sides))
    samples = [np.frombuffer(side.ljust(longest, b"\0"), "<i2") for side in sides]
    return np.stack(samples, axis=1).tobytes()


def pieces(sound: bytes, seconds: float = 0.1, rate: int = RATE) -> Iterator[bytes]:
    """The sound in messages of a length."""
    size = round(seconds * rate) * 2
    for place in range(0, len(sound), size):
        yield sound[place : place + size]
