"""Files that are no recordings, or lie about what they are."""

from __future__ import annotations

import asyncio
import io
import wave

import numpy as np
import pytest

from maie_core.errors import StageError
from tests.fuzz.mutations import mutated
from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess, Refusal
from tests.preprocess.test_containers import KINDS

pytestmark = pytest.mark.unit

LATE_STREAM = 176
FAR_PLACE = 188
REASONS = {
    "AUDIO_EMPTY",
    "AUDIO_CORRUPT",
    "AUDIO_TOO_SHORT",
    "AUDIO_TOO_LONG",
    "UNSUPPORTED_FORMAT",
}
PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n",
    "m3u": "#EXTM3U\n{url}\n",
    "concat": "ffconcat version 1.0\nfile '{url}'\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=audio {port} RTP/AVP 0\n",
    "dash": '<?xml version="1.0"?><MPD type="static"><BaseURL>{url}</BaseURL></MPD>',
    "pls": "[playlist]\nFile1={url}\nNumberOfEntries=1\n",
    "text": "Let us start with the budget. {url}\n" * 50,
    "html": "<!doctype html><audio src='{url}'></audio>",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
async def test_a_playlist_is_refused_and_nothing_is_fetched(kind: str, refusal: Refusal) -> None:
    calls = 0

    async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        text = PLAYLISTS[kind].format(url=f"http://127.0.0.1:{port}/a.mp3", port=port)
        assert await refusal(text.encode()) == "UNSUPPORTED_FORMAT"
    assert calls == 0


async def test_a_playlist_behind_an_id3_tag_is_refused(refusal: Refusal) -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)
    assert await refusal(tag + PLAYLISTS["hls"].encode()) in REASONS


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "UNSUPPORTED_FORMAT"),
        (b"PK\x03\x04" + bytes(1000), "UNSUPPORTED_FORMAT"),
        (b"RIFF", "AUDIO_CORRUPT"),
        (b"fLaC" + bytes(1000), "AUDIO_CORRUPT"),
        (b"OggS" + bytes(1000), "AUDIO_CORRUPT"),
        (b"\x1a\x45\xdf\xa3" + bytes(1000), "AUDIO_CORRUPT"),
    ],
)
async def test_what_never_was_sound_is_told_from_what_is_damaged(
    content: bytes, reason: str, refusal: Refusal
) -> None:
    assert await refusal(content) == reason


async def test_a_wav_without_samples_is_empty(refusal: Refusal) -> None:
    target = io.BytesIO()
    with wave.open(target, "wb") as empty:
        empty.setnchannels(1)
        empty.setsampwidth(2)
        empty.setframerate(16_000)
    assert await refusal(target.getvalue()) == "AUDIO_EMPTY"


async def test_a_video_without_sound_is_unsupported(refusal: Refusal) -> None:
    assert await refusal(recordings.silent_video()) == "UNSUPPORTED_FORMAT"


async def test_less_than_a_second_is_too_short(refusal: Refusal, preprocess: Preprocess) -> None:
    assert await refusal(recordings.wav(recordings.speech(0.99))) == "AUDIO_TOO_SHORT"
    await preprocess(recordings.wav(recordings.speech(1.0)))


async def test_a_recording_too_long_by_its_own_header_is_refused_at_once(
    refusal: Refusal,
) -> None:
    bomb = recordings.long_flac(hours=17)
    # Decoding as much as may be would take more than this.
    assert (
        await refusal(bomb, decoder_cpu_seconds=10, max_content_bytes=len(bomb)) == "AUDIO_TOO_LONG"
    )


@pytest.mark.slow
async def test_ten_hours_in_a_few_bytes_are_too_long_while_they_are_decoded(
    refusal: Refusal,
) -> None:
    bomb = recordings.long_flac(hours=10, states_length=False)
    assert len(bomb) < 7_000_000
    # Enough to decode half an hour of it, and not ten.
    limits = {"decoder_cpu_seconds": 20, "max_duration_seconds": 1800}
    assert await refusal(bomb, **limits) == "AUDIO_TOO_LONG"


async def test_processor_time_is_limited(refusal: Refusal) -> None:
    content = recordings.long_flac(hours=0.2, rate=192_000, channels=8)
    assert await refusal(content, decoder_cpu_seconds=1) == "AUDIO_CORRUPT"


@pytest.mark.parametrize("channels", [0, 9, 100, 65_535])
async def test_absurd_channel_counts_are_corrupt(channels: int, refusal: Refusal) -> None:
    content = recordings.raw_wav(bytes(64_000), channels=channels, rate=16_000)
    assert await refusal(content) == "AUDIO_CORRUPT"


@pytest.mark.parametrize("rate", [0, 768_000, 2**32 - 1])
async def test_absurd_sample_rates_are_corrupt(rate: int, refusal: Refusal) -> None:
    content = bytearray(recordings.raw_wav(bytes(64_000), channels=1, rate=16_000))
    content[24:28] = rate.to_bytes(4, "little")
    assert await refusal(bytes(content)) == "AUDIO_CORRUPT"


@pytest.mark.parametrize("value", [np.nan, np.inf])
async def test_samples_that_are_no_numbers_are_corrupt(value: float, refusal: Refusal) -> None:
    sound = np.zeros(32_000, np.float32)
    sound[20_000] = value
    content = recordings.raw_wav(sound.tobytes(), channels=1, rate=16_000, tag=3, bits=32)
    assert await refusal(content) == "AUDIO_CORRUPT"


async def test_a_few_damaged_frames_are_left_out(preprocess: Preprocess) -> None:
    content = bytearray(recordings.encode(recordings.speech(), **KINDS["m4a"]))
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    result = await preprocess(bytes(content))
    assert result.duration.seconds in {19, 20}
    assert result.quality.vad_coverage > 0.5


@pytest.mark.parametrize("kind", ["wav", "mp3", "m4a", "flac", "ogg opus", "webm"])
async def test_a_fuzzed_recording_is_read_or_refused(kind: str, preprocess: Preprocess) -> None:
    content = recordings.encode(recordings.speech(5), **KINDS[kind])
    for seed in range(4):
        chance = np.random.default_rng(seed)
        fuzzed = np.frombuffer(content, np.uint8).copy()
        places = chance.integers(0, len(fuzzed), 1 + len(fuzzed) // 50)
        fuzzed[places] = chance.integers(0, 256, len(places))
        fuzzed[: 64 * (seed % 2)] = chance.integers(0, 256, 64 * (seed % 2))
        try:
            await preprocess(fuzzed.tobytes())
        except StageError as error:
            assert error.reason in REASONS, error.message  # noqa: PT017 - both ends are right


async def test_a_stream_that_begins_late_is_no_fault_of_the_decoder(refusal: Refusal) -> None:
    """FFmpeg finds one in this damaged MPEG-TS after it opened the file."""
    name, content = mutated(LATE_STREAM)
    assert name.endswith("ts mp2 flipped")
    assert await refusal(content) == "AUDIO_CORRUPT"


async def test_a_place_that_no_file_has_is_no_fault_of_the_decoder(refusal: Refusal) -> None:
    """The header of this damaged CAF points further than a file system lets anybody look."""
    name, content = mutated(FAR_PLACE)
    assert name.endswith("caf damaged_header")
    assert await refusal(content) == "AUDIO_CORRUPT"
