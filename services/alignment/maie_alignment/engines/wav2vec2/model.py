"""The interface of what runs a CTC model."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from maie_alignment.engines.ctc.audio import Waveform


class CtcModel(Protocol):
    """Says for each frame of audio which symbol is spoken.

    Attributes:
        library: The software and its version.
        device: Where it runs: `cpu`, `cuda` or `mps`.
        compute_type: What it computes with, such as `float32` or `int8`.
        parameters: What else of its settings matters.
        columns: The number of symbols; 0 where the model does not say it.
        vram_bytes: The GPU memory of its weights; 0 on a CPU.
        max_seconds: The longest audio that it hears whole.
    """

    library: str
    device: str
    compute_type: str
    parameters: dict[str, str]
    columns: int
    vram_bytes: int
    max_seconds: float

    def run(self, waveform: Waveform, stopped: threading.Event) -> NDArray[np.float32]:
        """Runs it. Blocks.

        Args:
            waveform: The audio.
            stopped: Set when nobody waits any more.

        Returns:
            Logits or log probabilities, of shape (frames, columns).
        """
        ...
