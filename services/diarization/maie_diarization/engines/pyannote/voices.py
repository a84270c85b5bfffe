"""What a pipeline of pyannote says of a chunk, as voices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maie_diarization.engine import Embedding, Turn, Voice
from maie_diarization.engines.alone import FRAMES_PER_SECOND, frames_alone


def voices(output: Any, length: float, *, exclusive: bool) -> list[Voice]:
    """The speakers of a chunk.

    Args:
        output: pyannote's `DiarizeOutput`.
        length: The chunk's length in seconds.
        exclusive: Whether one speaker at a time speaks, the one who most probably does.
    """
    heard = output.speaker_diarization
    said = output.exclusive_speaker_diarization if exclusive else heard
    labels = heard.labels()
    clean = frames_alone(
        [_turns(heard, label, length) for label in labels], round(length * FRAMES_PER_SECOND)
    )
    return [
        Voice(
            window=Turn(start=0.0, end=length),
            turns=turns,
            embedding=_embedding(vector),
            clean_duration=len(alone) / FRAMES_PER_SECOND,
        )
        for label, vector, alone in zip(labels, output.speaker_embeddings, clean, strict=True)
        if (turns := _turns(said, label, length))
    ]


def _turns(annotation: Any, label: str, length: float) -> tuple[Turn, ...]:
    """A speaker's turns; the last window of the pipeline reaches beyond the chunk."""
    return tuple(
        Turn(start=max(0.0, segment.start), end=min(segment.end, length))
        for segment in annotation.label_timeline(label).support()
        if max(0.0, segment.start) < min(segment.end, length)
    )


def _embedding(vector: NDArray[np.floating]) -> Embedding | None:
    """A centroid at unit length; None for that of a speaker without any, which is 0."""
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        return None
    return (vector / length).astype(np.float32)
