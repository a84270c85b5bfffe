"""How likely somebody speaks: Silero VAD, an ONNX model that ships with this package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from maie_speech.frames import FRAME_SAMPLES

SHIPPED_MODEL: Final = Path(__file__).parent / "models" / "silero-vad" / "silero_vad_v6.onnx"
# What the model sees of the frame before, and the size of its memory.
_CONTEXT_SAMPLES = 64
_STATE_SHAPE = (1, 1, 128)
_FULL_SCALE = 32768.0


def open_model(content: bytes) -> onnxruntime.InferenceSession:
    """Loads the model's file, for one thread.

    Raises:
        Exception: What onnxruntime raises where the file is no such model.
    """
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    # The arena would keep the largest window's memory for good.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        content, providers=["CPUExecutionProvider"], sess_options=options
    )


class SileroTrack:
    """One recording, from beginning to end; carries the model's memory from window to window."""

    def __init__(self, model: onnxruntime.InferenceSession) -> None:
        self._model = model
        self._hidden = np.zeros(_STATE_SHAPE, np.float32)
        self._cell = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)

    def feed(self, samples: bytes) -> Sequence[float]:
        """Gives the probability of speech, 0 to 1, for each frame of `FRAME_SAMPLES`.

        Where a recording is divided between calls makes no difference.

        Args:
            samples: The next samples: 16 kHz, mono, 16-bit. A whole number of
                frames, but for the last call of a recording.
        """
        sound = np.frombuffer(samples, "<i2").astype(np.float32) / _FULL_SCALE
        if not len(sound):
            return []
        if rest := len(sound) % FRAME_SAMPLES:
            sound = np.pad(sound, (0, FRAME_SAMPLES - rest))
        probabilities, self._hidden, self._cell = self._model.run(
            None, {"input": self._frames(sound), "h": self._hidden, "c": self._cell}
        )
        values: list[float] = np.ravel(probabilities).tolist()
        return values

    def _frames(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Each frame together with the last samples of the one before."""
        new = sound.reshape(-1, FRAME_SAMPLES)
        frames = np.empty((len(new), _CONTEXT_SAMPLES + FRAME_SAMPLES), np.float32)
        frames[:, _CONTEXT_SAMPLES:] = new
        frames[0, :_CONTEXT_SAMPLES] = self._context
        frames[1:, :_CONTEXT_SAMPLES] = new[:-1, -_CONTEXT_SAMPLES:]
        self._context = new[-1, -_CONTEXT_SAMPLES:].copy()
        return frames
