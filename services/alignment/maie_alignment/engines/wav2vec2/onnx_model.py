"""A CTC model by onnxruntime."""

from __future__ import annotations

import json
import threading
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from maie_alignment.engines.ctc.audio import Waveform
from maie_alignment.engines.ctc.layouts import layout_of
from maie_alignment.settings import Wav2Vec2Settings
from maie_core.errors import StageError
from maie_core.models import model_corrupt
from maie_speech.onnx_sessions import open_session

WEIGHTS: Final = "model.onnx"
_POLL_SECONDS: Final = 0.5


class OnnxModel:
    """See `CtcModel`.

    Args:
        path: The file, which was verified.
        settings: The engine's settings.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT or DEVICE_UNAVAILABLE.
    """

    def __init__(self, path: Path, settings: Wav2Vec2Settings) -> None:
        self._session, self.device = _open(path, settings)
        inputs = sorted(each.name for each in self._session.get_inputs())
        shapes = {each.name: each.shape for each in self._session.get_outputs()}
        layout = layout_of(inputs, shapes)
        if layout is None:
            raise _unlike(path, f"it takes {inputs} and gives {sorted(shapes)}")
        self._layout = layout
        self.max_seconds = layout.max_seconds
        shape = shapes[layout.output]
        if len(shape) != 3:
            raise _unlike(path, f"{layout.output} is of shape {shape}")
        self.columns = shape[2] if isinstance(shape[2], int) else 0
        self.library = f"onnxruntime {version('onnxruntime')}"
        self.compute_type = "as exported"
        self.parameters = {"threads": json.dumps(settings.threads)}
        self.vram_bytes = 0 if self.device == "cpu" else path.stat().st_size

    def run(self, waveform: Waveform, stopped: threading.Event) -> NDArray[np.float32]:
        """See `CtcModel.run`."""
        options = ort.RunOptions()
        done = threading.Event()

        def watch() -> None:
            while not done.wait(_POLL_SECONDS):
                if stopped.is_set():
                    options.terminate = True
                    return

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            (found,) = self._session.run(
                [self._layout.output], self._layout.feed(waveform), options
            )
        finally:
            done.set()
        made: NDArray[np.float32] = np.asarray(found, np.float32)[0]
        return made


def _open(path: Path, settings: Wav2Vec2Settings) -> tuple[ort.InferenceSession, str]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return open_session(path, options, settings.device, "MAIE_ALIGNMENT_WAV2VEC2_DEVICE")
    except StageError:
        raise
    except Exception as error:
        raise _unlike(path, f"onnxruntime cannot read it ({type(error).__name__})") from error


def _unlike(path: Path, why: str) -> StageError:
    return model_corrupt(f"{path} is no CTC model of this engine: {why}; fetch it again.")
