"""Several channels: mixed so that nothing is lost, or each read by itself."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_preprocess.stage import PreprocessStage
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext
from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess
from tests.preprocess.recordings import RATE, Samples

pytestmark = pytest.mark.unit

MIX = pb.RecordingOptions(channels=pb.CHANNEL_MODE_MIX)
SPLIT = pb.RecordingOptions(channels=pb.CHANNEL_MODE_SPLIT)
AUTO = pb.RecordingOptions(channels=pb.CHANNEL_MODE_AUTO)

# Two passages of 16 s each, by different voices.
ONE = recordings.speech(74)[2 * RATE : 18 * RATE]
OTHER = recordings.speech(74)[40 * RATE : 56 * RATE]
VOICE = recordings.speech(12)


def noise(samples: int, decibels: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 32768 * 10 ** (decibels / 20), samples)


def louder(sound: Samples, decibels: float) -> np.ndarray:
    return sound * 10 ** (decibels / 20)


def turns(first: Samples, second: Samples, seconds: float = 4) -> tuple[Samples, Samples]:
    """Two who speak in turn: each in every second interval."""
    mine = np.arange(len(first)) // round(seconds * RATE) % 2 == 0
    return first * mine, second * ~mine


def room(sound: Samples, seed: int, delay: int = 0) -> np.ndarray:
    """The sound at a microphone in a room that echoes for half a second."""
    echo = np.random.default_rng(seed).normal(0, 1, RATE // 2) * np.exp(
        -6.9 * np.arange(RATE // 2) / (RATE / 2)
    )
    echo *= 0.7 / np.sqrt(np.sum(echo**2))
    echo[0] = 1
    size = len(sound) + len(echo)
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)
    return np.roll(np.pad(heard[: len(sound)], (0, delay)), delay)[: len(sound)] / 2


def levels(sound: Samples) -> np.ndarray:
    """The level of each tenth of a second."""
    tenths = sound[: len(sound) // 1600 * 1600].reshape(-1, 1600).astype(float)
    return np.sqrt(np.mean(tenths**2, axis=1))


def seconds(result: pb.PreprocessResult, channel: int = 0) -> list[tuple[float, float]]:
    return [
        (span.start_offset.ToNanoseconds() / 1e9, span.end_offset.ToNanoseconds() / 1e9)
        for chunk in result.chunks
        if chunk.channel == channel
        for span in chunk.speech
    ]


def reasons(result: pb.PreprocessResult) -> list[str]:
    return [warning.reason for warning in result.warnings]


async def test_split_reads_each_channel_as_if_it_were_alone(
    preprocess: Preprocess, blobs: Blobs
) -> None:
    result = await preprocess(recordings.beside(ONE, OTHER), options=SPLIT, chunk_seconds=8)
    assert result.source.channels == pb.CHANNEL_MODE_SPLIT
    assert [chunk.index for chunk in result.chunks] == list(range(len(result.chunks)))
    for channel, sound in ((1, ONE), (2, OTHER)):
        alone = await preprocess(recordings.wav(sound), chunk_seconds=8)
        assert seconds(result, channel) == seconds(alone)
        mine = [chunk for chunk in result.chunks if chunk.channel == channel]
        assert len(mine) > 1
        assert [chunk.audio.sha256 for chunk in mine] == [c.audio.sha256 for c in alone.chunks]


async def test_chunks_of_channels_come_in_the_order_of_time(preprocess: Preprocess) -> None:
    sound = recordings.speech(74)
    result = await preprocess(
        recordings.beside(sound, np.roll(sound, 3 * RATE)), options=SPLIT, chunk_seconds=8
    )
    starts = [chunk.range.start_offset.ToNanoseconds() / 1e9 for chunk in result.chunks]
    assert all(abs(at - ordered) < 20 for at, ordered in zip(starts, sorted(starts), strict=True))


async def test_speech_of_two_channels_counts_once(preprocess: Preprocess) -> None:
    alone = await preprocess(recordings.wav(ONE))
    result = await preprocess(recordings.beside(ONE, ONE), options=SPLIT)
    assert result.quality.vad_coverage == pytest.approx(alone.quality.vad_coverage)


@pytest.mark.parametrize("form", ["s16", "s32", "flt", "u8"])
@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
async def test_channels_of_any_format_and_rate_are_split(
    form: str, rate: int, preprocess: Preprocess
) -> None:
    sound = np.repeat(VOICE, 3) if rate == 48_000 else VOICE[:: RATE // rate]
    both = np.stack([sound, np.zeros_like(sound)], axis=1)
    data, tag, bits = {
        "s16": (both, 1, 16),
        "s32": (both.astype(np.int32) << 16, 1, 32),
        "flt": ((both / 32768).astype(np.float32), 3, 32),
        "u8": ((both // 256 + 128).astype(np.uint8), 1, 8),
    }[form]
    content = recordings.raw_wav(data.tobytes(), channels=2, rate=rate, tag=tag, bits=bits)
    result = await preprocess(content, options=SPLIT)
    assert {chunk.channel for chunk in result.chunks} == {1}
    assert result.quality.vad_coverage > 0.4


async def test_mono_is_never_split(preprocess: Preprocess) -> None:
    result = await preprocess(recordings.wav(VOICE), options=SPLIT)
    assert result.source.channels == pb.CHANNEL_MODE_MIX
    assert result.source.normalized
    assert {chunk.channel for chunk in result.chunks} == {0}


async def test_six_channels_are_split_into_six(preprocess: Preprocess) -> None:
    channels = [np.roll(VOICE, RATE * place) for place in range(6)]
    result = await preprocess(recordings.beside(*channels), options=SPLIT)
    assert {chunk.channel for chunk in result.chunks} == {1, 2, 3, 4, 5, 6}


CALLS = {
    "in turn": turns(ONE, OTHER),
    "at the same time": (ONE, OTHER),
    "with noise": [sound + noise(len(sound), -50, seed) for seed, sound in enumerate((ONE, OTHER))],
    "one side quiet": (ONE, louder(OTHER, -12)),
    "cross-talk of -20 dB": (ONE + louder(OTHER, -20), OTHER + louder(ONE, -20)),
    "one short answer": (
        ONE * (np.arange(len(ONE)) < 12 * RATE),
        np.concatenate([recordings.silence(13), OTHER[: RATE * 3]]),
    ),
    "with an offset": [sound + 2000 for sound in turns(ONE, OTHER)],
}
NO_CALLS = {
    "dual mono": (VOICE, VOICE),
    "dual mono with noise": [VOICE + noise(len(VOICE), -50, seed) for seed in (1, 2)],
    "dual mono with a quiet copy": (VOICE, louder(VOICE, -20) + noise(len(VOICE), -60)),
    "inverted": (VOICE, -VOICE),
    "one channel empty": (VOICE, VOICE * 0),
    "one channel noise": (VOICE, noise(len(VOICE), -40)),
    "a room": (room(VOICE, 1), louder(room(VOICE, 2, delay=100), -4)),
    "two people in a room": [
        room(first, seed) + louder(room(second, seed + 2, delay=90), -10)
        for seed, (first, second) in enumerate((turns(ONE, OTHER), turns(ONE, OTHER)[::-1]))
    ],
    "silence": (VOICE * 0, VOICE * 0),
    "noise": (noise(len(VOICE), -30, 1), noise(len(VOICE), -30, 2)),
}


@pytest.mark.parametrize("what", CALLS)
async def test_auto_splits_a_call(what: str, preprocess: Preprocess) -> None:
    result = await preprocess(recordings.beside(*CALLS[what]), options=AUTO)
    assert result.source.channels == pb.CHANNEL_MODE_SPLIT
    assert {chunk.channel for chunk in result.chunks} == {1, 2}


@pytest.mark.parametrize("what", NO_CALLS)
async def test_auto_mixes_what_is_no_call(what: str, preprocess: Preprocess) -> None:
    result = await preprocess(recordings.beside(*NO_CALLS[what]), options=AUTO)
    assert result.source.channels == pb.CHANNEL_MODE_MIX
    assert {chunk.channel for chunk in result.chunks} <= {0}


async def test_a_call_that_begins_late_is_read_from_its_beginning(preprocess: Preprocess) -> None:
    first = np.concatenate([np.tile(VOICE, 8), ONE])
    second = np.concatenate([recordings.silence(96), OTHER])
    result = await preprocess(recordings.beside(first, second), options=AUTO, chunk_seconds=10)
    assert result.source.channels == pb.CHANNEL_MODE_SPLIT
    assert [chunk.index for chunk in result.chunks] == list(range(len(result.chunks)))
    assert seconds(result, 1)[0][0] < 2
    assert seconds(result, 2)[0][0] > 95
    assert result.duration.seconds == len(first) // RATE


async def test_progress_goes_on_while_a_call_is_read_again(
    stage: PreprocessStage, context: StageContext
) -> None:
    # The other side speaks in the last seconds only.
    first, second = np.tile(VOICE, 12), np.pad(OTHER, (len(VOICE) * 12 - len(OTHER), 0))
    request = pb.PreprocessRequest(recording_content=recordings.beside(first, second))
    async with aclosing(stage.run(request, context)) as responses:
        seen = [response async for response in responses]
    assert seen[-1].result.source.channels == pb.CHANNEL_MODE_SPLIT
    told = [each.progress.fraction for each in seen[:-1]]
    assert told == sorted(told)
    # Both readings show that they live, each in windows of some ten seconds.
    assert len(told) - len(set(told)) > 5


async def test_the_setting_holds_where_the_request_does_not_say(preprocess: Preprocess) -> None:
    content = recordings.beside(*CALLS["in turn"])
    modes = {
        mode: (await preprocess(content, channels=mode)).source.channels
        for mode in ("mix", "split", "auto")
    }
    assert modes == {
        "mix": pb.CHANNEL_MODE_MIX,
        "split": pb.CHANNEL_MODE_SPLIT,
        "auto": pb.CHANNEL_MODE_SPLIT,
    }


@pytest.mark.parametrize(
    "channels",
    [
        pytest.param([VOICE, -VOICE], id="inverted"),
        pytest.param([VOICE, louder(-VOICE, -3)], id="inverted and quieter"),
        pytest.param([VOICE, -VOICE + noise(len(VOICE), -50)], id="inverted with noise"),
        pytest.param([VOICE, -VOICE, VOICE, -VOICE], id="four"),
        pytest.param([VOICE // 2, VOICE // 2, -VOICE], id="three"),
    ],
)
async def test_channels_that_cancel_are_read_from_one_of_them(
    channels: list[Samples], preprocess: Preprocess, preprocess_once: Preprocess
) -> None:
    # Noise widens the band, which would change where speech begins.
    same: dict[str, Any] = {
        "vad_narrow_band_threshold": 0.3,
        "vad_narrow_band_negative_threshold": 0.15,
    }
    alone = await preprocess_once(recordings.wav(VOICE), **same)
    result = await preprocess(recordings.beside(*channels), **same)
    assert result.source.channels == pb.CHANNEL_MODE_MIX
    assert reasons(result) == ["CHANNELS_CANCEL"]
    assert not result.warnings[0].HasField("range")
    assert np.allclose(seconds(result), seconds(alone), atol=0.1)


async def test_speech_that_cancels_for_a_while_is_read_there(
    preprocess: Preprocess, blobs: Blobs
) -> None:
    sign = np.where(np.arange(len(ONE)) // (4 * RATE) % 4 == 1, -1, 1)
    result = await preprocess(recordings.beside(ONE, ONE * sign))
    (warning,) = result.warnings
    assert warning.reason == "CHANNELS_CANCEL"
    assert warning.range.start_offset.ToNanoseconds() / 1e9 == pytest.approx(4, abs=0.5)
    assert warning.range.end_offset.ToNanoseconds() / 1e9 == pytest.approx(8, abs=0.5)
    stored = recordings.wav_samples([await blobs.get(chunk.audio) for chunk in result.chunks])
    first = result.chunks[0].range.start_offset.ToNanoseconds() * RATE // 10**9
    # Every tenth of a second has the level that it had, whichever channel it came from.
    ours, theirs = levels(stored), levels(ONE[first : first + len(stored)])
    loud = theirs > 200
    assert loud.sum() > 50
    assert np.all(np.abs(20 * np.log10(ours[loud] / theirs[loud])) < 1)


@pytest.mark.parametrize("channels", [2, 4, 8])
async def test_empty_channels_take_nothing_from_the_others(
    channels: int, preprocess: Preprocess, blobs: Blobs
) -> None:
    empty = [noise(len(VOICE), -85, seed) for seed in range(channels - 1)]
    result = await preprocess(recordings.beside(*empty, VOICE))
    stored = recordings.wav_samples([await blobs.get(chunk.audio) for chunk in result.chunks])
    assert np.abs(stored).max() == pytest.approx(np.abs(VOICE).max(), rel=0.05)
    assert not result.warnings


@pytest.mark.parametrize("layout", ["5.1", "7.1", "quad", "3.0"])
async def test_surround_keeps_its_voice(layout: str, preprocess: Preprocess) -> None:
    content = recordings.encode(VOICE, container="matroska", codec="flac", layout=layout)
    result = await preprocess(content)
    assert result.source.channels == pb.CHANNEL_MODE_MIX
    assert result.quality.vad_coverage > 0.4
    assert {chunk.channel for chunk in result.chunks} == {0}


LEAKS = {
    "a wire": (1.0, 0),
    "half a metre of air": (1.0, 24),
    "six metres of air": (1.0, 280),
    "the wrong way round": (-1.0, 24),
}


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("decibels", [-15, -20, -30])
async def test_a_voice_that_leaks_is_heard_on_its_own_channel_only(
    decibels: float, leak: str, preprocess: Preprocess, preprocess_once: Preprocess
) -> None:
    sign, delay = LEAKS[leak]
    first, second = turns(ONE, OTHER)
    channels = [
        own + louder(np.roll(other, delay), decibels) * sign + noise(len(own), -65, delay)
        for own, other in ((first, second), (second, first))
    ]
    result = await preprocess(recordings.beside(*channels), options=SPLIT)
    for channel, sound in ((1, first), (2, second)):
        spoken = sound + noise(len(sound), -65).astype(np.int16)
        alone = await preprocess_once(recordings.wav(spoken))
        found, expected = (
            [(start, end) for start, end in seconds(each, number) if end - start > 0.7]
            for each, number in ((result, channel), (alone, 0))
        )
        heard = sum(end - start for start, end in found)
        assert heard == pytest.approx(sum(end - start for start, end in expected), abs=1.0)
        # Nobody else's turn is there: turns are of 4 s, and speech is padded.
        for start, end in found:
            middle = (start + end) / 2
            assert int(middle // 4) % 2 == channel - 1


async def test_a_quiet_voice_beside_a_loud_one_is_kept(
    preprocess: Preprocess, blobs: Blobs
) -> None:
    quiet = louder(OTHER, -15).astype(np.int16)
    result = await preprocess(recordings.beside(ONE, quiet), options=SPLIT)
    alone = await preprocess(recordings.wav(quiet))
    mine = [chunk for chunk in result.chunks if chunk.channel == 2]
    assert [chunk.audio.sha256 for chunk in mine] == [c.audio.sha256 for c in alone.chunks]
