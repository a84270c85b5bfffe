"""Audio is encoded as it comes, in every format."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame

from maie.speech.v1 import speech_pb2 as speech
from maie_synthesis.audio import RATE, Encoder, wav_head
from maie_synthesis.engine import Samples

pytestmark = pytest.mark.unit

FORMATS = [each for each in speech.AudioFormat.values() if each != speech.AUDIO_FORMAT_PCM]


def tone(seconds: float, rate: int) -> Samples:
    times = np.arange(round(seconds * rate)) / rate
    return (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)


def decoded(content: bytes) -> tuple[Samples, int]:
    with av.open(io.BytesIO(content), "r") as file:
        parts = [frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)]
        samples = np.concatenate(parts)
        scale = 1 if samples.dtype == np.int16 else 32767
        return (samples * scale).astype(np.int16), file.streams.audio[0].rate


def loudest(samples: Samples, rate: int) -> float:
    """The frequency with the most power, in hertz."""
    power = np.abs(np.fft.rfft(samples.astype(float)))
    return float(np.argmax(power) * rate / len(samples))


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000])
def test_players_can_read_what_is_streamed(audio_format: int, rate: int) -> None:
    encoder = Encoder(audio_format)
    parts = [encoder.encode(tone(0.5, rate), rate) for _ in range(4)]
    samples, found = decoded(b"".join([*parts, encoder.finish()]))
    assert encoder.seconds == pytest.approx(2, abs=0.01)
    # MP3 adds a frame or two.
    assert len(samples) / found == pytest.approx(2, abs=0.1)
    assert loudest(samples, found) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("audio_format", FORMATS)
def test_audio_comes_before_the_end(audio_format: int) -> None:
    encoder = Encoder(audio_format)
    early = b"".join(encoder.encode(tone(0.5, RATE), RATE) for _ in range(4))
    assert len(decoded(early)[0]) > 0
    encoder.close()


class Waiting(Encoder):
    """Waits within its work until a test lets it go on."""

    def __init__(self, audio_format: int) -> None:
        super().__init__(audio_format)
        self.works, self.goes_on = Event(), Event()

    def _write(self, frame: AudioFrame) -> None:
        self.works.set()
        self.goes_on.wait()
        super()._write(frame)


def test_an_encoder_is_not_closed_while_a_thread_encodes() -> None:
    encoder = Waiting(speech.AUDIO_FORMAT_FLAC)
    with ThreadPoolExecutor(2) as executor:
        encoding = executor.submit(encoder.encode, tone(1, RATE), RATE)
        encoder.works.wait()
        closing = executor.submit(encoder.close)
        done, _ = wait([closing], timeout=0.2)
        encoder.goes_on.set()
        assert not done
        assert encoding.result()
        closing.result()


def test_pcm_is_the_samples_alone() -> None:
    encoder = Encoder(speech.AUDIO_FORMAT_PCM)
    samples = tone(0.25, RATE)
    content = encoder.encode(samples, RATE) + encoder.silence(0.5) + encoder.finish()
    assert np.array_equal(np.frombuffer(content, "<i2")[: len(samples)], samples)
    assert len(content) == 2 * RATE * 0.75


def test_the_head_of_wav_may_say_the_length() -> None:
    content = wav_head(2 * RATE) + bytes(2 * RATE)
    with av.open(io.BytesIO(content), "r") as file:
        assert file.duration == 1_000_000
