"""The decoder by itself, in this process, for what its messages say."""

from __future__ import annotations

import io
import json
import tempfile
from dataclasses import dataclass

import numpy as np

from maie_preprocess import wire
from maie_preprocess.decoder import decode
from maie_preprocess.decoding import limits_of
from maie_preprocess.normalize import SAMPLE_RATE
from maie_preprocess.settings import PreprocessSettings


@dataclass(kw_only=True, frozen=True, slots=True)
class Decoded:
    """What came of a recording: 16 kHz mono 16-bit samples, and the last message."""

    samples: np.ndarray
    done: wire.Done


def decoded(content: bytes) -> wire.Done:
    """Decodes a recording and gives the last message; see `decoded_sound`."""
    return decoded_sound(content).done


def decoded_sound(content: bytes) -> Decoded:
    """Decodes a recording within the limits of the default settings, with channels mixed.

    Raises:
        RefusedError: The recording cannot be used.
    """
    target = io.BytesIO()
    with tempfile.TemporaryFile(buffering=0) as source:
        source.write(content)
        source.seek(0)
        choice = wire.Choice(channels="mix", track=0, all_tracks=False)
        decode(source, target, limits_of(PreprocessSettings()), choice)
    target.seek(0)
    pieces, last = [], b""
    while header := target.read(wire.HEADER.size):
        kind, _, _, size = wire.HEADER.unpack(header)
        last = target.read(size)
        if kind == wire.SAMPLES:
            pieces.append(np.frombuffer(last, np.int16))
    fields = json.loads(last)
    warnings = [wire.RecordingWarning(**warning) for warning in fields.pop("warnings")]
    return Decoded(samples=np.concatenate(pieces), done=wire.Done(**fields, warnings=warnings))


def lag_seconds(sound: np.ndarray, original: np.ndarray, begin: float = 0.0) -> float:
    """How much later what follows a time is in a sound than in the original; both at 16 kHz."""
    first = round(begin * SAMPLE_RATE)
    one, two = (samples[first:].astype(float) for samples in (sound, original))
    size = 1 << (len(one) + len(two)).bit_length()
    match = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(two, size)))
    best = int(match.argmax())
    return (best if best < size // 2 else best - size) / SAMPLE_RATE
