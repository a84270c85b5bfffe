"""What the tracks of a session say: real speech, in the same pieces each time."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from maie.live.v1 import live_pb2 as live
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_client.live.audio import DEFAULT_RATE_HERTZ, MESSAGE_SECONDS, STREAM_BYTES
from maie_client.live.options import linear16
from tests.live_engine import WORDS, quiet, say

LIBRIVOX = Path(__file__).parents[2] / "data/librivox"
SAMPLE_BYTES = 2
# One piece is one message of the client.
PIECE_BYTES = round(DEFAULT_RATE_HERTZ * MESSAGE_SECONDS) * SAMPLE_BYTES
# Longer than the silence that ends an utterance.
PAUSE_SECONDS = 0.9
# The tracks of a session begin with different clips.
SCRIPTS = 4
CLIPS_EACH = 3
# The words of an utterance in tones, and how many utterances there are.
TONES_EACH = 4
TONED = 4

SAMPLES, FLAC, OPUS = "samples", "flac", "opus"
"""How speech is sent."""
TONES, SIDES = "tones", "sides in tones"
"""How words are sent as tones: a text for each track, or one for each of its two channels."""
TONE_SOUNDS = frozenset({TONES, SIDES})
TONE_ENGINE = (sys.executable, "-m", "tests.live_engine")
"""Reads the tones, and needs no model."""
_CONTAINERS = {FLAC: ("flac", "flac"), OPUS: ("ogg", "libopus")}
_OPUS_RATE = 48_000


def _never() -> bool:
    return False


@dataclass(kw_only=True, frozen=True, slots=True)
class Script:
    """What a session says.

    Attributes:
        tracks: The number of the text of each track; the track's name is that number.
        sound: How it is sent.
        pace: How much faster than real time its audio comes.
        leaves: Whether each track ends with `leave`, before the session's end.
        goes_on: Whether it is said once more; asked after each time.
        receiver: The URL of a receiver of the session's finals; empty for none.
        refined: Whether its finals are to be refined.
        summarised: Whether its client waits for a summary at the end.
        rounds: How often each track was said, as it turned out.
    """

    tracks: tuple[int, ...]
    sound: str = SAMPLES
    pace: float = 1.0
    leaves: bool = False
    goes_on: Callable[[], bool] = _never
    receiver: str = ""
    refined: bool = False
    summarised: bool = False
    rounds: dict[int, int] = field(default_factory=dict)

    def pieces(self, number: int) -> tuple[bytes, ...]:
        """The audio of a track, in messages."""
        return pieces_of(number, self.sound)

    def piece_seconds(self, number: int) -> float:
        """How long sending a message takes."""
        seconds = len(sound_of(number, self.sound)) / DEFAULT_RATE_HERTZ
        return seconds / len(self.pieces(number)) / self.pace

    @property
    def seconds(self) -> float:
        """How long sending it once takes."""
        return max(self.piece_seconds(each) * len(self.pieces(each)) for each in self.tracks)

    @property
    def format(self) -> live.AudioFormat:
        """The format of its audio."""
        return FORMATS.get(self.sound, linear16())


FORMATS: Mapping[str, live.AudioFormat] = MappingProxyType(
    {
        FLAC: live.AudioFormat(encoding=live.AUDIO_ENCODING_FLAC),
        OPUS: live.AudioFormat(encoding=live.AUDIO_ENCODING_OGG_OPUS),
        SIDES: live.AudioFormat(
            encoding=live.AUDIO_ENCODING_LINEAR16,
            sample_rate_hertz=DEFAULT_RATE_HERTZ,
            channels=2,
            channel_mode=preprocess.CHANNEL_MODE_SPLIT,
        ),
    }
)


def texts_of(number: int, sound: str) -> Mapping[int, int]:
    """The number of the text on each channel of a track; channel 0 where there is but one."""
    return {1: number, 2: (number + 1) % SCRIPTS} if sound == SIDES else {0: number}


def toned_text(number: int) -> str:
    """What a track says in tones."""
    return " ".join(" ".join(words) for words in _toned(number))


def _toned(number: int) -> list[list[str]]:
    first = number * TONED * TONES_EACH
    chosen = [WORDS[(first + place) % len(WORDS)] for place in range(TONED * TONES_EACH)]
    return [chosen[at : at + TONES_EACH] for at in range(0, len(chosen), TONES_EACH)]


@cache
def pieces_of(number: int, sound: str = SAMPLES) -> tuple[bytes, ...]:
    """The audio of a track, in messages."""
    if sound in _CONTAINERS:
        data, size = _contained(sound_of(number, sound), sound), STREAM_BYTES // 2
    elif sound == SIDES:
        sides = _sides(number)
        data, size = np.stack(sides, axis=1).astype("<i2").tobytes(), len(sides) * PIECE_BYTES
    else:
        data, size = sound_of(number, sound).astype("<i2").tobytes(), PIECE_BYTES
    return tuple(data[at : at + size] for at in range(0, len(data), size))


@cache
def sound_of(number: int, sound: str) -> NDArray[np.int16]:
    """The samples of a track, 16 kHz; of its channels added."""
    if sound == SIDES:
        added: NDArray[np.int16] = np.sum(_sides(number), axis=0, dtype=np.int16)
        return added
    pause = quiet(PAUSE_SECONDS)
    if sound == TONES:
        spoken = [say(*words) for words in _toned(number)]
    else:
        clips = sorted([*LIBRIVOX.glob("*.wav"), *LIBRIVOX.glob("*.flac")])
        spoken = [_samples(clips[(number + step) % len(clips)]) for step in range(CLIPS_EACH)]
    return np.concatenate([pause, *(part for each in spoken for part in (each, pause))])


def _sides(number: int) -> list[NDArray[np.int16]]:
    """The samples of both channels, which are equally long."""
    return [sound_of(text, TONES) for text in texts_of(number, SIDES).values()]


def _samples(clip: Path) -> NDArray[np.int16]:
    """The samples of a file that is 16 kHz mono already."""
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)[0].astype(np.int16)


def _contained(samples: NDArray[np.int16], sound: str) -> bytes:
    """Samples in a container, as a recorder writes it."""
    container, codec = _CONTAINERS[sound]
    rate = _OPUS_RATE if sound == OPUS else DEFAULT_RATE_HERTZ
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16p", layout="mono")
    frame.sample_rate = DEFAULT_RATE_HERTZ
    resampler = av.AudioResampler("s16", "mono", rate)
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate, layout="mono")
        for given in (frame, None):
            for resampled in resampler.resample(given):
                output.mux(stream.encode(resampled))
        output.mux(stream.encode(None))
    return file.getvalue()
