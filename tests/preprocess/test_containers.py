"""Every container that is read gives the same speech."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_runtime.blobs import Blobs
from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess

pytestmark = pytest.mark.unit

SECONDS = 20.0
# Lossy codecs smear a beginning; AAC and MP3 add a frame of silence.
TOLERANCE = 0.15
# A codec's own noise before the first word is not what is asked for here.
SURE: dict[str, Any] = {
    "vad_threshold": 0.5,
    "vad_negative_threshold": 0.35,
    "vad_narrow_band_threshold": 0.5,
    "vad_narrow_band_negative_threshold": 0.35,
}

KINDS: dict[str, dict[str, Any]] = {
    "wav": {"container": "wav", "codec": "pcm_s16le", "rate": 44_100, "layout": "stereo"},
    "wav 24 bit": {"container": "wav", "codec": "pcm_s24le", "rate": 48_000, "layout": "stereo"},
    "wav float": {"container": "wav", "codec": "pcm_f32le", "rate": 16_000},
    "wav 8 bit": {"container": "wav", "codec": "pcm_u8", "rate": 8_000},
    "mp3": {"container": "mp3", "codec": "libmp3lame", "rate": 44_100, "layout": "stereo"},
    "m4a": {"container": "ipod", "codec": "aac", "rate": 48_000, "layout": "stereo"},
    "flac": {"container": "flac", "codec": "flac", "rate": 48_000, "layout": "stereo"},
    "ogg opus": {"container": "ogg", "codec": "libopus", "rate": 48_000},
    "ogg flac 5.1": {"container": "ogg", "codec": "flac", "rate": 16_000, "layout": "5.1"},
    "webm": {"container": "webm", "codec": "libopus", "rate": 48_000},
    "matroska": {"container": "matroska", "codec": "aac", "rate": 44_100},
    "adts": {"container": "adts", "codec": "aac", "rate": 44_100},
    "w64": {"container": "w64", "codec": "pcm_s16le", "rate": 44_100},
    "aiff": {"container": "aiff", "codec": "pcm_s16be", "rate": 44_100, "layout": "stereo"},
    "caf": {"container": "caf", "codec": "pcm_s16le", "rate": 44_100},
    "caf alac": {"container": "caf", "codec": "alac", "rate": 44_100},
    "amr": {"container": "amr", "codec": "libopencore_amrnb", "rate": 8000},
    "3gp": {"container": "3gp", "codec": "libopencore_amrnb", "rate": 8000},
    "wma": {"container": "asf", "codec": "wmav2", "rate": 44_100, "layout": "stereo"},
    "ts": {"container": "mpegts", "codec": "aac", "rate": 48_000},
    "ts mp2": {"container": "mpegts", "codec": "mp2", "rate": 48_000},
    "matroska ac3": {"container": "matroska", "codec": "ac3", "rate": 48_000},
    "mp4 with a picture": {"container": "mp4", "codec": "aac", "rate": 44_100, "video": True},
}


def seconds_of_speech(result: pb.PreprocessResult) -> list[tuple[float, float]]:
    return [
        (span.start_offset.ToNanoseconds() / 1e9, span.end_offset.ToNanoseconds() / 1e9)
        for chunk in result.chunks
        for span in chunk.speech
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_container_gives_duration_and_speech(
    kind: str, preprocess: Preprocess, preprocess_once: Preprocess
) -> None:
    sound = recordings.speech(SECONDS)
    expected = seconds_of_speech(await preprocess_once(recordings.wav(sound), **SURE))
    result = await preprocess(recordings.encode(sound, **KINDS[kind]), **SURE)
    assert result.duration.ToNanoseconds() / 1e9 == pytest.approx(SECONDS, abs=TOLERANCE)
    found = seconds_of_speech(result)
    assert len(found) == len(expected) > 3
    assert np.abs(np.subtract(found, expected)).max() < TOLERANCE
    assert not result.source.normalized
    assert result.source.sample_rate_hertz == KINDS[kind]["rate"]
    assert result.quality.vad_coverage == pytest.approx(
        sum(end - start for start, end in found) / SECONDS, abs=0.01
    )


@pytest.mark.parametrize("container", ["wav", "flac"])
async def test_what_is_normalised_already_is_kept_bit_by_bit(
    container: str, preprocess: Preprocess, blobs: Blobs
) -> None:
    sound = recordings.speech(75)
    codec = {"wav": "pcm_s16le", "flac": "flac"}[container]
    result = await preprocess(
        recordings.encode(sound, container=container, codec=codec), chunk_seconds=10
    )
    assert result.source.normalized
    assert len(result.chunks) > 5
    for chunk in result.chunks:
        stored = recordings.wav_samples([await blobs.get(chunk.audio)])
        start, end = (
            offset.ToNanoseconds() * recordings.RATE // 10**9
            for offset in (chunk.range.start_offset, chunk.range.end_offset)
        )
        assert np.array_equal(stored, sound[start:end])


async def test_the_source_is_named_as_ffmpeg_names_it(preprocess: Preprocess) -> None:
    result = await preprocess(recordings.encode(recordings.speech(5), **KINDS["m4a"]))
    assert result.source == pb.SourceFormat(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        codec="aac",
        sample_rate_hertz=48_000,
        channel_count=2,
        channels=pb.CHANNEL_MODE_MIX,
        tracks=[pb.AudioTrack(track=1, codec="aac", default=True, read=True)],
    )


@pytest.mark.parametrize("microphone", range(6))
async def test_no_microphone_of_an_unnamed_layout_is_dropped(
    microphone: int, preprocess: Preprocess
) -> None:
    sound = recordings.speech(5)
    channels = np.zeros((len(sound), 6), np.int16)
    channels[:, microphone] = sound
    content = recordings.raw_wav(channels.tobytes(), channels=6, rate=recordings.RATE)
    assert (await preprocess(content)).quality.vad_coverage > 0.5


async def test_a_streamed_wav_without_a_length_is_read_to_its_end(preprocess: Preprocess) -> None:
    content = bytearray(recordings.raw_wav(recordings.speech(5).tobytes(), channels=1, rate=16_000))
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    assert (await preprocess(bytes(content))).duration.seconds == 5
