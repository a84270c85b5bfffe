"""Live audio of every format becomes 16 kHz mono, exactly as long as it was sent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.live.v1 import live_pb2 as live
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_gateway.live.formats import check_content, check_silence, settled_format
from maie_gateway.live.tracks.reader import AudioReader

pytestmark = pytest.mark.unit

LINEAR16 = live.AUDIO_ENCODING_LINEAR16
RATES = (8000, 11_025, 16_000, 22_050, 44_100, 48_000)
# Less than one part in a hundred: the filter's ripple.
CLOSE = 200


def format_of(
    encoding: live.AudioEncoding = LINEAR16, rate: int = 16_000, channels: int = 1
) -> live.AudioFormat:
    asked = live.AudioFormat(encoding=encoding, sample_rate_hertz=rate, channels=channels)
    return settled_format(asked, "format")


def tone(rate: int, seconds: float = 1.0) -> np.ndarray:
    return (np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate) * 20_000).astype(
        "<i2"
    )


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_a_tone_is_the_same_tone_at_every_rate(rate: int, channels: int) -> None:
    reader = AudioReader(format_of(rate=rate, channels=channels))
    sound = np.repeat(tone(rate), channels).tobytes()
    size = rate // 10 * 2 * channels
    parts = [reader.read(sound[place : place + size]) for place in range(0, len(sound), size)]
    heard = np.frombuffer(b"".join(parts) + reader.flush(), dtype="<i2").astype(int)
    assert len(heard) == 16_000
    assert np.abs(heard - tone(16_000))[100:-100].max() < CLOSE


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [2, 8])
@pytest.mark.parametrize(
    "encoding", [LINEAR16, live.AUDIO_ENCODING_MULAW, live.AUDIO_ENCODING_ALAW]
)
def test_channels_that_are_split_are_what_each_is_alone(
    encoding: live.AudioEncoding, rate: int, channels: int
) -> None:
    size = 2 if encoding == LINEAR16 else 1
    sides = np.random.default_rng(1).integers(0, 256, (rate // 4, channels, size), dtype=np.uint8)

    def read(sound: np.ndarray, count: int) -> np.ndarray:
        wanted = format_of(encoding=encoding, rate=rate, channels=count)
        if count > 1:
            wanted.channel_mode = preprocess.CHANNEL_MODE_SPLIT
        reader = AudioReader(wanted)
        parts = [reader.read(part.tobytes()) for part in np.array_split(sound, 5)]
        return np.frombuffer(b"".join(parts) + reader.flush(), "<i2").reshape(-1, count)

    heard = read(sides, channels)
    assert heard.shape == (4000, channels)
    for number in range(channels):
        assert np.array_equal(heard[:, number], read(sides[:, [number]], 1)[:, 0])


@pytest.mark.parametrize(
    ("encoding", "silence"), [(live.AUDIO_ENCODING_MULAW, 0xFF), (live.AUDIO_ENCODING_ALAW, 0xD5)]
)
def test_telephone_encodings_are_decoded(encoding: live.AudioEncoding, silence: int) -> None:
    reader = AudioReader(format_of(encoding=encoding, rate=8000))
    heard = reader.read(bytes([silence]) * 800) + reader.flush()
    assert len(heard) == 3200
    assert np.abs(np.frombuffer(heard, dtype="<i2")).max() <= 8
    # The loudest value of either sign.
    loud = AudioReader(format_of(encoding=encoding, rate=16_000)).read(bytes([0x00, 0x80, 0x2A]))
    assert np.abs(np.frombuffer(loud, dtype="<i2").astype(int)).max() > 30_000 or encoding == (
        live.AUDIO_ENCODING_ALAW
    )


@given(st.sampled_from(RATES), st.lists(st.integers(1, 2000), min_size=1, max_size=8))
def test_a_flush_gives_exactly_what_was_read(rate: int, counts: list[int]) -> None:
    reader = AudioReader(format_of(rate=rate))
    for _ in range(2):
        given_out = sum(len(reader.read(b"\1\0" * count)) for count in counts)
        position = reader.position
        assert position == sum(counts) * 16_000 // rate
        assert given_out + len(reader.flush()) == position * 2
        assert reader.position == 0


@pytest.mark.parametrize(
    ("encoding", "rate", "channels", "field"),
    [
        (live.AUDIO_ENCODING_UNSPECIFIED, 16_000, 1, "encoding"),
        (99, 16_000, 1, "encoding"),
        (LINEAR16, 7999, 1, "sample_rate_hertz"),
        (LINEAR16, 48_001, 1, "sample_rate_hertz"),
        (LINEAR16, 0, 1, "sample_rate_hertz"),
        (LINEAR16, 16_000, 9, "channels"),
        (LINEAR16, 16_000, -1, "channels"),
    ],
)
def test_other_formats_are_refused(encoding: int, rate: int, channels: int, field: str) -> None:
    asked = live.AudioFormat(sample_rate_hertz=rate, channels=channels)
    asked.encoding = encoding  # type: ignore[assignment]
    with pytest.raises(StageError) as refused:
        settled_format(asked, "config.format")
    assert refused.value.reason == Reason.AUDIO_FORMAT_INVALID
    assert refused.value.field == f"config.format.{field}"


@pytest.mark.parametrize("content", [b"", b"\0", b"\0" * 32_002, b"\0" * 1_048_576])
def test_parts_that_hold_no_whole_samples_or_too_many_are_refused(content: bytes) -> None:
    with pytest.raises(StageError) as refused:
        check_content(format_of(), content)
    assert refused.value.reason == Reason.AUDIO_PART_INVALID


@pytest.mark.parametrize("seconds", [0.0, -1.0, 3601.0, float("nan")])
def test_silence_has_a_length(seconds: float) -> None:
    with pytest.raises(StageError) as refused:
        check_silence(seconds)
    assert refused.value.reason == Reason.AUDIO_PART_INVALID
