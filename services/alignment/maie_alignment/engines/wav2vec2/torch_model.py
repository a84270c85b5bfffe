"""A CTC model by transformers and torch, which are installed apart (see docs/reading.md)."""

from __future__ import annotations

import json
import os
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from maie_alignment.engines.ctc.audio import Waveform
from maie_alignment.engines.ctc.layouts import MAX_SECONDS
from maie_alignment.settings import Wav2Vec2Settings
from maie_core.models import model_corrupt
from maie_runtime.gpu.devices import candidates
from maie_runtime.worker.cores import usable_cores
from maie_runtime.worker.engines import require_package

WEIGHTS: Final = "model.safetensors"
PACKAGES: Final = ("transformers", "torch")


class TorchModel:
    """See `CtcModel`.

    Args:
        root: The folder, which was verified.
        settings: The engine's settings.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_INSTALLED, MODEL_CORRUPT or
            DEVICE_UNAVAILABLE.
    """

    def __init__(self, root: Path, settings: Wav2Vec2Settings) -> None:
        self.library = ", ".join(f"{name} {_require(name)}" for name in PACKAGES)
        # Nothing is downloaded, whatever a configuration asks for.
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch

        self.device = candidates(settings.device, _present(), "MAIE_ALIGNMENT_WAV2VEC2_DEVICE")[0]
        model = _load(root)
        is_quantized = (
            self.device == "cpu"
            and settings.quantize_from_cores > 0
            and usable_cores() >= settings.quantize_from_cores
        )
        if is_quantized:
            from torch.ao.quantization import quantize_dynamic

            model = quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
        if self.device == "cpu":
            torch.set_num_threads(settings.threads)
        self._model = model.to(self.device).eval()
        self._dtype = None if settings.dtype == "float32" else getattr(torch, settings.dtype)
        self.compute_type: str = "int8" if is_quantized else settings.dtype
        self.parameters = {"threads": json.dumps(settings.threads)}
        self.columns = int(model.config.vocab_size)
        self.max_seconds = MAX_SECONDS
        self.vram_bytes = 0 if self.device == "cpu" else (root / WEIGHTS).stat().st_size

    def run(self, waveform: Waveform, stopped: threading.Event) -> NDArray[np.float32]:
        """See `CtcModel.run`. A run is not cut off; it is of one piece of a recording."""
        import torch

        own_type = torch.autocast(self.device, dtype=self._dtype) if self._dtype else nullcontext()
        with torch.inference_mode(), own_type:
            values = torch.from_numpy(waveform)[np.newaxis].to(self.device)
            found = self._model(values).logits[0]
        made: NDArray[np.float32] = found.float().cpu().numpy()
        return made


def _load(root: Path) -> Any:
    from transformers import AutoModelForCTC

    try:
        model, report = AutoModelForCTC.from_pretrained(
            root, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    # A file that is no model raises anything from transformers, torch and safetensors.
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise model_corrupt(
            f"The model in {root} cannot be loaded: {first}; fetch it again."
        ) from error
    wrong = {name: sorted(map(str, found)) for name, found in report.items() if found}
    if wrong:
        # transformers would go on with random weights for what is missing.
        what = "; ".join(f"{name}: {', '.join(found[:3])}" for name, found in wrong.items())
        raise model_corrupt(f"The weights in {root} do not fit its config.json ({what}).")
    return model


def _present() -> list[str]:
    import torch

    found = ["cpu"]
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return found


def _require(package: str) -> str:
    remedy = (
        "install it beside maie-alignment as docs/reading.md describes, or use the back end onnx"
    )
    return require_package(package, by="MAIE_ALIGNMENT_WAV2VEC2_BACKEND=torch", remedy=remedy)
