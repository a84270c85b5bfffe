"""Whose voice speech is, for every engine that finds who speaks when and knows no voices itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie_diarization.engine import Embedding
from maie_diarization.engines.embedded.channel import Channel
from maie_diarization.engines.embedded.encoder import embed
from maie_diarization.engines.embedded.mel import Mels
from maie_diarization.engines.embedded.models import CAMPPLUS
from maie_speech.shipped_models import open_model

# The encoder knows no voice by less speech than this.
_LEAST_FRAMES: Final = 40


class VoiceEncoder:
    """CAM++, without what a channel makes of its embeddings. Calls may overlap in several threads.

    Args:
        encoder: CAM++.
        channel: What embeddings have of the channel.
    """

    def __init__(self, encoder: onnxruntime.InferenceSession, channel: Channel) -> None:
        self._encoder = encoder
        self._channel = channel

    @classmethod
    def load(cls, threads: int) -> VoiceEncoder:
        """Verifies and loads the models. Blocks.

        Args:
            threads: The number of threads that a call uses, at least 1.

        Raises:
            StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
        """
        return cls(open_model(CAMPPLUS, threads), Channel())

    def embeddings(
        self, mels: Mels, clean: Sequence[NDArray[np.int64]], heartbeat: Callable[[], None]
    ) -> list[Embedding | None]:
        """Embeds voices.

        Args:
            mels: The power of the chunk.
            clean: For each voice the frames of 10 ms in which it alone speaks.
            heartbeat: Called for every few seconds of speech.

        Returns:
            The embedding of each; None where there is too little clean speech.
        """
        known = [place for place, frames in enumerate(clean) if len(frames) >= _LEAST_FRAMES]
        found = embed(self._encoder, [mels[clean[place]] for place in known], heartbeat)
        embeddings: list[Embedding | None] = [None] * len(clean)
        for place, embedding in zip(known, found, strict=True):
            embeddings[place] = self._channel.without(embedding)
        return embeddings
