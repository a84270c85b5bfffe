"""Who of up to three speakers of a window speaks when."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from maie_diarization.engine import SAMPLE_RATE, Samples, Turn
from maie_diarization.engines.sherpa.models import ENCODER, SEGMENTATION, WINDOW

_FULL_SCALE: Final = np.float32(32768)
_WINDOW_SECONDS: Final = WINDOW / SAMPLE_RATE
# The middle of the first frame is 31 ms after the window's start; that of the last one is as far
# from its end, or a frame more.
_EDGE_SECONDS: Final = 0.06


class Segmenter:
    """sherpa-onnx's diarization, for one window at a time. Blocks while the models are loaded.

    It neither embeds nor clusters what is no longer than a window of its model.

    Args:
        threads: The number of threads that a call uses, at least 1.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING or MODEL_CORRUPT.
    """

    def __init__(self, threads: int) -> None:
        import sherpa_onnx

        with tempfile.TemporaryDirectory(prefix="maie-sherpa-") as scratch:
            model, encoder = (each.write(Path(scratch)) for each in (SEGMENTATION, ENCODER))
            config = sherpa_onnx.OfflineSpeakerDiarizationConfig(
                segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
                    pyannote=sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(str(model)),
                    num_threads=threads,
                ),
                embedding=sherpa_onnx.SpeakerEmbeddingExtractorConfig(str(encoder)),
                clustering=sherpa_onnx.FastClusteringConfig(),
                # Nothing is left out, and nothing bridged: that is for who knows the other windows.
                min_duration_on=0.0,
                min_duration_off=0.0,
            )
            self._diarization: Any = sherpa_onnx.OfflineSpeakerDiarization(config)

    def turns(self, samples: Samples, start: int) -> list[tuple[Turn, ...]]:
        """The turns of each speaker of a window, in seconds from the chunk's start.

        Args:
            samples: The chunk.
            start: The window's first sample; silence follows a chunk that is shorter.
        """
        sound = np.zeros(WINDOW, np.float32)
        part = samples[start : start + WINDOW]
        sound[: len(part)] = part / _FULL_SCALE
        speakers: defaultdict[int, list[Turn]] = defaultdict(list)
        for segment in self._diarization.process(sound).sort_by_start_time():
            first, last = _to_edges(segment.start, segment.end)
            last = min(last, len(part) / SAMPLE_RATE)
            if first < last:
                offset = start / SAMPLE_RATE
                speakers[segment.speaker].append(Turn(start=offset + first, end=offset + last))
        return [tuple(turns) for turns in speakers.values()]


def _to_edges(start: float, end: float) -> tuple[float, float]:
    """The first and the last frame of a window reach to its edges."""
    return (
        0.0 if start < _EDGE_SECONDS else start,
        _WINDOW_SECONDS if end > _WINDOW_SECONDS - _EDGE_SECONDS else end,
    )
