"""How likely somebody speaks: the Silero VAD that ships in faster-whisper."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maie_asr.engine import SAMPLE_RATE, Samples, SpeechRange

# As the preprocess service has them, so that a direct call reads what a job would.
THRESHOLD = 0.3
MIN_SILENCE_MS = 500
SPEECH_PAD_MS = 250
MAX_SPEECH_SECONDS = 30.0
FRAME_SAMPLES = 512
"""Samples that one probability speaks of: 32 ms."""


def find_speech(samples: Samples) -> tuple[SpeechRange, ...]:
    """Finds speech in audio that comes without a plan.

    Args:
        samples: The audio, in memory as a whole.

    Returns:
        The stretches of speech, padded, in order and without overlap.
    """
    # Loads onnxruntime and ctranslate2, which a worker that reads only chunks does without.
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=THRESHOLD,
        min_silence_duration_ms=MIN_SILENCE_MS,
        speech_pad_ms=SPEECH_PAD_MS,
        max_speech_duration_s=MAX_SPEECH_SECONDS,
    )
    found = get_speech_timestamps(samples.astype(np.float32) / 32768, options)
    return tuple(SpeechRange(start=each["start"], end=each["end"]) for each in found)


def speech_probabilities(samples: Samples) -> NDArray[np.float32]:
    """The probability that somebody speaks, 0 to 1, for each frame of `FRAME_SAMPLES`.

    Args:
        samples: The audio; its last frame may be shorter.
    """
    from faster_whisper.vad import get_vad_model

    padded = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES))
    if not len(padded):
        return np.empty(0, np.float32)
    return np.ravel(get_vad_model()(padded.astype(np.float32) / 32768))


def seconds_above(probabilities: NDArray[np.float32], threshold: float) -> float:
    """How long the probability of speech is at least `threshold`."""
    return float(np.count_nonzero(probabilities >= threshold)) * FRAME_SAMPLES / SAMPLE_RATE
