"""Finds speech in audio that comes without a plan."""

from __future__ import annotations

import numpy as np

from maie_asr.engine import Samples, SpeechRange

# As the preprocess service has them, so that a direct call reads what a job would.
THRESHOLD = 0.3
MIN_SILENCE_MS = 500
SPEECH_PAD_MS = 250
MAX_SPEECH_SECONDS = 30.0


def find_speech(samples: Samples) -> tuple[SpeechRange, ...]:
    """Finds speech with the Silero VAD that ships in faster-whisper.

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
