"""Voices that are made, not heard: embeddings of a few speakers with a spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maie_diarization.engine import Calibration, Turn, Voice

CALIBRATION = Calibration(
    same_speaker=0.6,
    surely_same_speaker=0.9,
    min_duration=1.0,
    min_speaker_duration=4.0,
    min_speaker_share=0.02,
    sure_speaker_duration=8.0,
    count_accuracy=((0.0, 0.1), (0.5, 0.5), (1.0, 0.95)),
)
DIMENSIONS = 32
WINDOW = 5.0
SPREAD = 0.04


def voice(
    speaker: int | None,
    start: float = 0.0,
    *turns: tuple[float, float],
    chance: np.random.Generator | None = None,
) -> Voice:
    """A voice of a window of five seconds.

    Args:
        speaker: The axis that its embedding is next to; None is without embedding.
        start: The window's start, in seconds.
        turns: When it speaks; the whole window if there is none.
        chance: Where the spread comes from; None is without.
    """
    window = Turn(start=start, end=start + WINDOW)
    embedding = None
    if speaker is not None:
        embedding = np.eye(DIMENSIONS, dtype=np.float32)[speaker]
        if chance is not None:
            embedding = embedding + chance.normal(0, SPREAD, DIMENSIONS).astype(np.float32)
            embedding /= np.linalg.norm(embedding)
    return Voice(
        window=window,
        turns=tuple(Turn(start=first, end=last) for first, last in turns) or (window,),
        embedding=embedding,
        clean_duration=0.0 if speaker is None else WINDOW,
    )


def conversation(order: Sequence[int], seed: int = 0) -> list[Voice]:
    """A window after the other, each with one speaker."""
    chance = np.random.default_rng(seed)
    return [voice(who, WINDOW * place, chance=chance) for place, who in enumerate(order)]
