"""Takes the channel out of embeddings: what a telephone makes of each voice, and what all share.

Otherwise the voices of two people on the telephone are as alike as two samples of one person's in
a studio, and no similarity tells people apart in both.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from maie_diarization.engine import Embedding
from maie_diarization.engines.embedded.models import CHANNELS
from maie_speech.shipped_models import open_arrays

# The places of the two vectors in the file.
_SHARED: Final = 0
_NARROW_BAND: Final = 1


class Channel:
    """What embeddings have of the channel.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """

    def __init__(self) -> None:
        vectors = open_arrays(CHANNELS)
        self._shared, self._narrow_band = vectors[_SHARED], vectors[_NARROW_BAND]

    def without(self, embedding: Embedding) -> Embedding:
        """An embedding without what all voices share, and without the telephone's direction.

        Source: nuisance attribute projection; Solomonoff et al., "Advances in channel compensation
        for SVM speaker recognition" (2005).
        """
        own = embedding - self._shared
        own -= (own @ self._narrow_band) * self._narrow_band
        return own / np.linalg.norm(own)
