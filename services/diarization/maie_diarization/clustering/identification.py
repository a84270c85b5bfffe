"""Who is who in a recording: one clustering of the voices of all chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from maie_diarization.clustering.assignment import assign
from maie_diarization.clustering.counting import cut
from maie_diarization.clustering.groups import gather
from maie_diarization.clustering.hints import Hints
from maie_diarization.clustering.linkage import Floats, average_linkage
from maie_diarization.engine import Calibration, Voice

# No two embeddings are as similar as this, so that nothing is joined.
_NEVER: Final = 2.0


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Identification:
    """The speakers of a recording.

    Attributes:
        speakers: For each chunk the number of each voice's speaker, from 0 on by
            first appearance.
        confidence: How likely the number of speakers is right, 0 to 1; 1 where it was given.
        centroids: The mean embedding of each speaker, of unit length; shape
            (speakers, dimensions), with no dimension where no voice has enough clean speech.
    """

    speakers: tuple[tuple[int, ...], ...]
    confidence: float
    centroids: Floats


def identify(
    chunks: Sequence[Sequence[Voice]],
    hints: Hints,
    calibration: Calibration,
    heartbeat: Callable[[], None],
) -> Identification:
    """Finds the speakers of a recording. Blocks; the same input gives the same result.

    Args:
        chunks: The voices of each chunk, in the order of the recording.
        hints: What is known of the number of speakers.
        calibration: What the engine says of its embeddings.
        heartbeat: Called every few seconds of work; what it raises ends the call.
    """
    speakers, confidence = _speakers(chunks, hints, calibration, heartbeat)
    labels = []
    for voices in chunks:
        labels.append(assign(voices, speakers))
        heartbeat()
    order = list(dict.fromkeys(label for chunk in labels for label in chunk))
    return Identification(
        speakers=tuple(tuple(order.index(label) for label in chunk) for chunk in labels),
        confidence=confidence,
        centroids=speakers[order],
    )


def _speakers(
    chunks: Sequence[Sequence[Voice]],
    hints: Hints,
    calibration: Calibration,
    heartbeat: Callable[[], None],
) -> tuple[Floats, float]:
    """The embedding of each speaker, and how likely their number is right."""
    groups = gather(chunks, calibration, heartbeat)
    if len(groups) < (hints.speaker_count or hints.min_speaker_count or 1):
        groups = gather(chunks, replace(calibration, surely_same_speaker=_NEVER), heartbeat)
    if not len(groups):
        return np.zeros((1, 0), np.float32), 0.0
    tree = average_linkage(groups.means, groups.durations, heartbeat)
    chosen = cut(groups, tree, hints, calibration)
    lengths = np.linalg.norm(chosen.speakers, axis=1, keepdims=True)
    return chosen.speakers / lengths, chosen.confidence
