"""The waveform of a recording is what its sound is, in its time."""

from __future__ import annotations

import numpy as np
import pytest

from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_runtime.blobs import Blobs
from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess

pytestmark = pytest.mark.unit

SECOND = 10
RATE = recordings.RATE


def signal() -> recordings.Samples:
    """Silence for 2 s, a tone at full scale for 1 s, and a second with a click at half of it."""
    tone = np.rint(32_767 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)).astype(np.int16)
    click = recordings.silence(1)
    click[RATE // 2] = -16_384
    return np.concatenate([recordings.silence(2), tone, click])


EXPECTED = [0] * 2 * SECOND + [255] * SECOND + [0] * 5 + [180] + [0] * 4


async def waveform(result: pb.PreprocessResult, blobs: Blobs) -> list[int]:
    made = await blobs.get_message(result.waveform, common.Waveform)
    assert made.interval.ToMilliseconds() == 100
    assert len(made.peaks) == -(-result.duration.ToMilliseconds() // 100)
    return list(made.peaks)


@pytest.mark.parametrize(("container", "codec"), [("wav", "pcm_s16le"), ("flac", "flac")])
async def test_peaks_are_right_to_the_value(
    container: str, codec: str, preprocess: Preprocess, blobs: Blobs
) -> None:
    recording = recordings.encode(signal(), container=container, codec=codec)
    result = await preprocess(recording)
    assert await waveform(result, blobs) == EXPECTED
    assert result.waveform.key == f"jobs/test/waveform-{result.waveform.sha256}"


@pytest.mark.parametrize(
    ("container", "codec", "rate", "layout"),
    [
        ("wav", "pcm_s24le", 44_100, "mono"),
        ("matroska", "libopus", 48_000, "mono"),
        ("mp4", "aac", 48_000, "stereo"),
    ],
)
async def test_other_rates_and_codecs_have_it_at_the_same_place(
    container: str, codec: str, rate: int, layout: str, preprocess: Preprocess, blobs: Blobs
) -> None:
    recording = recordings.encode(
        signal(), container=container, codec=codec, rate=rate, layout=layout
    )
    found = await waveform(await preprocess(recording), blobs)
    # FFmpeg makes two channels of one that are 3 dB lower, as loud together.
    level = 255 if layout == "mono" else 214
    # Away from where silence and tone meet, which a codec smears.
    assert max(found[: 2 * SECOND - 1]) <= 5
    assert found[2 * SECOND + 1 : 3 * SECOND - 1] == pytest.approx([level] * (SECOND - 2), abs=6)
    assert int(np.argmax(found[3 * SECOND + 2 :])) + 2 == 5


async def test_a_gap_and_a_late_start_are_silent(preprocess: Preprocess, blobs: Blobs) -> None:
    loud = np.tile(signal()[2 * RATE : 3 * RATE], 14)
    whole = recordings.encode(loud, container="matroska", codec="flac")
    recording = recordings.remuxed(
        whole,
        container="matroska",
        shift=lambda second: 2.0 if second < 1 else 5.0,
        video=True,
    )
    found = await waveform(await preprocess(recording), blobs)
    edges = {2 * SECOND, 3 * SECOND, 6 * SECOND}
    inside = [peak for place, peak in enumerate(found) if not edges & {place, place - 1, place + 1}]
    silent = [0] * (2 * SECOND - 1) + [255] * (SECOND - 3) + [0] * (3 * SECOND - 3)
    assert inside[: len(silent)] == silent
    assert set(inside[len(silent) :]) == {255}


async def test_of_two_channels_the_louder_one_is_drawn(
    preprocess: Preprocess, blobs: Blobs
) -> None:
    voice, quiet = recordings.speech(6), recordings.speech(6)[::-1] // 8
    split = pb.RecordingOptions(channels=pb.CHANNEL_MODE_SPLIT)
    found = await waveform(await preprocess(recordings.beside(voice, quiet), options=split), blobs)
    alone = await waveform(await preprocess(recordings.wav(voice)), blobs)
    assert len(found) == len(alone)
    assert all(both >= one for both, one in zip(found, alone, strict=True) if one > 128)
    assert min(found) >= min(alone)
