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

from maie_alignment.engines.wav2vec2.devices import candidates, unavailable
from maie_alignment.engines.wav2vec2.model import Waveform
from maie_alignment.settings import Wav2Vec2Settings
from maie_core.errors import StageError
from maie_core.models import model_corrupt

WEIGHTS: Final = "model.onnx"
_PROVIDERS: Final = {
    "cuda": "CUDAExecutionProvider",
    "mps": "CoreMLExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
# What exports of transformers take and give, with a mask or without, and what hama's does.
_LAYOUTS: Final = {
    frozenset({"input_values"}): "logits",
    frozenset({"input_values", "attention_mask"}): "logits",
    frozenset({"waveform", "waveform_lengths"}): "log_probs",
}
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
        self._inputs = {each.name for each in self._session.get_inputs()}
        output = _LAYOUTS.get(frozenset(self._inputs), "")
        outputs = {each.name: each for each in self._session.get_outputs()}
        if output not in outputs:
            raise _unlike(path, f"it takes {sorted(self._inputs)} and gives {sorted(outputs)}")
        self._output = output
        shape = outputs[output].shape
        if len(shape) != 3:
            raise _unlike(path, f"{output} is of shape {shape}")
        self.columns = shape[2] if isinstance(shape[2], int) else 0
        self.library = f"onnxruntime {version('onnxruntime')}"
        self.compute_type = "as exported"
        self.parameters = {"threads": json.dumps(settings.threads)}
        self.vram_bytes = 0 if self.device == "cpu" else path.stat().st_size

    def run(self, waveform: Waveform, stopped: threading.Event) -> NDArray[np.float32]:
        """See `CtcModel.run`."""
        length = len(waveform)
        values = {
            "input_values": waveform[np.newaxis],
            "attention_mask": np.ones((1, length), np.int64),
            "waveform": waveform[np.newaxis],
            "waveform_lengths": np.array([length], np.int64),
        }
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
            feed = {name: values[name] for name in self._inputs}
            (found,) = self._session.run([self._output], feed, options)
        finally:
            done.set()
        made: NDArray[np.float32] = np.asarray(found, np.float32)[0]
        return made


def _open(path: Path, settings: Wav2Vec2Settings) -> tuple[ort.InferenceSession, str]:
    variable = "MAIE_ALIGNMENT_WAV2VEC2_DEVICE"
    options = ort.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    present = [name for name, each in _PROVIDERS.items() if each in ort.get_available_providers()]
    for device in candidates(settings.device, present, variable):
        try:
            session = ort.InferenceSession(str(path), options, providers=[_PROVIDERS[device]])
        except Exception as error:
            raise _unlike(path, f"onnxruntime cannot read it ({type(error).__name__})") from error
        # It goes on with the CPU, and says nothing, where the GPU's libraries are missing.
        if session.get_providers()[0] == _PROVIDERS[device]:
            return session, device
    raise unavailable(settings.device, variable)


def _unlike(path: Path, why: str) -> StageError:
    return model_corrupt(f"{path} is no CTC model of this engine: {why}; fetch it again.")
