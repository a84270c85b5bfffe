"""Encodes audio while it is made."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from maie.speech.v1 import speech_pb2 as speech
from maie_synthesis.engine import Samples

RATE: Final = 24_000
"""The samples in a second of what is sent, in all formats. Opus, and OpenAI's `pcm`, have it."""
# A player of the stream need not know the length; this is the most that the head can say.
_UNKNOWN_BYTES = 0xFFFFFFFF
_SAMPLE_BYTES = 2


@dataclass(kw_only=True, frozen=True, slots=True)
class Coding:
    """A format that FFmpeg writes.

    Attributes:
        container: The name of its file format.
        codec: The name of its encoder.
        bit_rate: In bits in a second; 0 where the encoder has none.
        options: Of the file format.
    """

    container: str
    codec: str
    bit_rate: int = 0
    options: dict[str, str] = field(default_factory=dict)


CODINGS: Final[dict[int, Coding]] = {
    # A page holds 0.2 s: by default it would be a second, which comes late.
    speech.AUDIO_FORMAT_OPUS: Coding(
        container="ogg", codec="libopus", bit_rate=48_000, options={"page_duration": "200000"}
    ),
    # Xing's head would need the length.
    speech.AUDIO_FORMAT_MP3: Coding(
        container="mp3", codec="libmp3lame", bit_rate=64_000, options={"write_xing": "0"}
    ),
    speech.AUDIO_FORMAT_FLAC: Coding(container="flac", codec="flac"),
}


class _Sink:
    """A file that can only be written to, from which what was written is taken."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, content: bytes) -> int:
        """Takes what FFmpeg writes."""
        self._written += content
        return len(content)

    def taken(self) -> bytes:
        """What was written since."""
        content = bytes(self._written)
        self._written.clear()
        return content


class Encoder:
    """Encodes mono audio of several rates into one stream. Blocks.

    FFmpeg crashes where one thread closes what another encodes with: threads take turns.

    Args:
        audio_format: An AudioFormat.
    """

    def __init__(self, audio_format: int) -> None:
        self._format = audio_format or speech.AUDIO_FORMAT_WAV
        self._samples = 0
        self._sink = _Sink()
        self._turn = Lock()
        self._file: Any = None
        self._stream: AudioStream | None = None
        if coding := CODINGS.get(self._format):
            self._file = av.open(
                cast(Any, self._sink), "w", format=coding.container, options=coding.options
            )
            stream = self._file.add_stream(coding.codec, rate=RATE)
            stream.layout = "mono"
            if coding.bit_rate:
                stream.bit_rate = coding.bit_rate
            self._stream = stream
        elif self._format == speech.AUDIO_FORMAT_WAV:
            self._sink.write(wav_head())

    @property
    def seconds(self) -> float:
        """How much audio it was given."""
        return self._samples / RATE

    def encode(self, samples: Samples, rate: int) -> bytes:
        """Encodes the next samples; gives what is whole.

        Args:
            samples: The samples.
            rate: How many there are in a second.
        """
        with self._turn:
            for frame in self._resampled(samples, rate):
                self._write(frame)
            return self._sink.taken()

    def silence(self, seconds: float) -> bytes:
        """Encodes silence."""
        return self.encode(np.zeros(round(seconds * RATE), np.int16), RATE)

    def finish(self) -> bytes:
        """Ends the stream; gives what is left of it."""
        with self._turn:
            if self._file is not None and self._stream is not None:
                self._file.mux(self._stream.encode(None))
                self._file.close()
                self._file = None
            return self._sink.taken()

    def close(self) -> None:
        """Frees the encoder of a stream that is given up."""
        with self._turn:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _resampled(self, samples: Samples, rate: int) -> Iterable[AudioFrame]:
        """The samples as frames at `RATE`; each call's samples are whole in them."""
        frame = AudioFrame.from_ndarray(
            np.ascontiguousarray(samples)[None, :], format="s16", layout="mono"
        )
        frame.sample_rate = rate
        if rate == RATE:
            return [frame]
        # Of its own for each sentence: it is flushed at the end, so that no sound comes later.
        resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
        return [*resampler.resample(frame), *resampler.resample(None)]

    def _write(self, frame: AudioFrame) -> None:
        frame.pts = self._samples
        self._samples += frame.samples
        if self._stream is None:
            self._sink.write(frame.to_ndarray()[0].astype("<i2").tobytes())
            return
        self._file.mux(self._stream.encode(frame))


def wav_head(content_bytes: int = _UNKNOWN_BYTES) -> bytes:
    """The first 44 bytes of a WAV file.

    Args:
        content_bytes: How many bytes of samples follow; by default, nobody knows.
    """
    rest = min(content_bytes + 36, _UNKNOWN_BYTES)
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * _SAMPLE_BYTES, _SAMPLE_BYTES, 16)
    size = struct.pack("<I", content_bytes)
    head = b"RIFF" + struct.pack("<I", rest) + b"WAVEfmt " + struct.pack("<I", len(form))
    return head + form + b"data" + size
