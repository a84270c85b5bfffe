"""Turns a track's audio into 16 kHz PCM, message by message."""

from __future__ import annotations

from functools import cache
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from maie.live.v1 import live_pb2 as live
from maie_audio.resampler import Resampler
from maie_core.samples import RATE, SAMPLE_BYTES
from maie_gateway.live.formats import MIN_RATE, channel_numbers, frame_bytes

_CODECS = {live.AUDIO_ENCODING_MULAW: "pcm_mulaw", live.AUDIO_ENCODING_ALAW: "pcm_alaw"}


class AudioReader:
    """Reads the audio of a track, from any place on: mixed, or with its channels interleaved.

    The resampler holds back up to 2 ms until the next audio comes; `flush` gives it out.

    Args:
        settled: The audio's format.

    Attributes:
        frames: How many samples, of the track's own rate, were read since the beginning or the
            last flush.
    """

    def __init__(self, settled: live.AudioFormat) -> None:
        self._format = settled
        self._rate = settled.sample_rate_hertz
        self._frame_bytes = frame_bytes(settled)
        self._channels = len(channel_numbers(settled))
        self._resampler = Resampler(split=self._channels > 1)
        self._given = 0
        self.frames = 0

    @property
    def position(self) -> int:
        """How much was read since the beginning or the last flush, in samples of 16 kHz."""
        return self.frames * RATE // self._rate

    def read(self, content: bytes) -> bytes:
        """Reads a message's audio; gives what is ready of it, as 16-bit little-endian PCM."""
        self.frames += len(content) // self._frame_bytes
        is_plain = self._format.encoding == live.AUDIO_ENCODING_LINEAR16
        if is_plain and self._format.channels == self._channels and self._rate == RATE:
            pcm = content
        else:
            pcm = self._resampled(self._samples(content))
        self._given += len(pcm) // (SAMPLE_BYTES * self._channels)
        return pcm

    def flush(self) -> bytes:
        """Gives out what is held back, so that exactly `position` samples were given; begins anew.

        Silence follows, or the end of an utterance.
        """
        rest = self._resampler.flush()
        missing = (self.position - self._given) * SAMPLE_BYTES * self._channels
        self._given = self.frames = 0
        return rest[:missing].ljust(missing, b"\0")

    def _samples(self, content: bytes) -> np.ndarray[Any, np.dtype[np.int16]]:
        if self._format.encoding == live.AUDIO_ENCODING_LINEAR16:
            interleaved = np.frombuffer(content, dtype="<i2")
        else:
            table = _g711(_CODECS[self._format.encoding])
            interleaved = table[np.frombuffer(content, dtype=np.uint8)]
        if self._format.channels == self._channels:
            return interleaved
        channels = interleaved.reshape(-1, self._format.channels)
        return channels.mean(axis=1).astype(np.int16)

    def _resampled(self, samples: np.ndarray[Any, np.dtype[np.int16]]) -> bytes:
        if self._rate == RATE:
            return samples.astype("<i2").tobytes()
        layout = f"{self._channels}c"
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout=layout)
        frame.sample_rate = self._rate
        return self._resampler.push(frame)


@cache
def _g711(codec: str) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The value of each byte of a G.711 encoding."""
    decoder = AudioCodecContext.create(codec, "r")
    assert isinstance(decoder, AudioCodecContext)
    decoder.sample_rate = MIN_RATE
    decoder.layout = "mono"
    (frame,) = decoder.decode(av.Packet(bytes(range(256))))
    return np.array(frame.to_ndarray()[0], dtype=np.int16)
