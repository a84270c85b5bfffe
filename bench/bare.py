"""The library by itself: faster-whisper on a whole file, with the arguments of the service."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from maie_asr.engine import RecognizeOptions
from maie_asr.engines.whisper.arguments import transcribe_arguments
from maie_asr.engines.whisper.model import AUTO_COMPUTE_TYPES, is_distilled
from maie_asr.settings import AsrSettings
from maie_core.models import DEFAULT_WHISPER, model_store


class BareWhisper:
    """One model, loaded, on the CPU.

    Args:
        settings: The ASR service's settings: which model, and how it reads.
        threads: The threads of one recognition.
    """

    def __init__(self, settings: AsrSettings, threads: int) -> None:
        path = (
            settings.whisper.model_path or model_store(settings.mesh.models_dir) / DEFAULT_WHISPER
        )
        self._model = WhisperModel(
            str(path),
            device="cpu",
            compute_type=AUTO_COMPUTE_TYPES["cpu"],
            cpu_threads=threads,
            local_files_only=True,
        )
        self._arguments = transcribe_arguments(
            settings.whisper,
            RecognizeOptions(word_times=settings.word_time_offsets),
            distilled=is_distilled(path, settings.whisper),
        )

    def read(self, recording: Path) -> tuple[float, list[str]]:
        """Decodes and reads a file; gives the seconds that it took, and the words."""
        started = time.perf_counter()
        segments, _ = self._model.transcribe(str(recording), **self._arguments)
        words = words_of(" ".join(segment.text for segment in segments))
        return time.perf_counter() - started, words

    def text(self, samples: NDArray[np.int16]) -> str:
        """Reads 16 kHz mono."""
        segments, _ = self._model.transcribe(samples.astype(np.float32) / 32768, **self._arguments)
        return " ".join(segment.text for segment in segments)


def words_of(text: str) -> list[str]:
    """The words of a text, without case, punctuation and hyphens."""
    return re.findall(r"\w+", text.lower())
