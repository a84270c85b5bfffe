"""Live speech by the engine sherpa: what is read while an utterance grows, and at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from maie_asr.engine import SAMPLE_RATE, RecognizeOptions, Samples, Speech, SpeechRange
from maie_asr.engines.sherpa.engine import SherpaEngine, create
from maie_asr.engines.sherpa.live import SherpaLive
from maie_asr.live.engine import Effort, OffersLive
from maie_asr.live.service import open_live
from maie_asr.settings import AsrSettings, SherpaSettings
from maie_cli.models import trust
from tests.asr.live.calling import answers, of, served, text, track
from tests.asr.recordings import BUG_AND_BUDGET, SCHEDULE, read_audio
from tests.models.sherpa.k2 import write_k2, write_k2_streaming
from tests.models.sherpa.nemo import write_nemo_streaming

pytestmark = pytest.mark.unit

ENGLISH = RecognizeOptions(language="en")
STEP = 4_000
STREAMING = [write_k2_streaming, write_nemo_streaming]


def settings(folder: Path, write: Callable[[Path], None], slots: int = 2) -> AsrSettings:
    write(folder / "model")
    trust(folder / "model")
    sherpa = SherpaSettings(model_path=folder / "model", language_codes=("en",), cpu_threads=1)
    return AsrSettings(engine="sherpa", slots=slots, sherpa=sherpa)


def live_of(engine: SherpaEngine) -> SherpaLive:
    assert isinstance(engine, OffersLive)
    live = engine.live()
    assert live is not None
    return live


async def grown(live: SherpaLive, samples: Samples, effort: Effort = Effort.FULL) -> list[str]:
    """The texts of partials of an utterance that grows, and of its final."""
    utterance = live.open(ENGLISH)
    ends = range(STEP, len(samples), STEP)
    texts = [(await utterance.read(samples[:end], Effort.PARTIAL)).text for end in ends]
    return [*texts, (await utterance.read(samples, effort)).text]


async def test_a_model_that_reads_audio_as_a_whole_offers_no_stream(tmp_path: Path) -> None:
    async with create(settings(tmp_path, write_k2)) as engine:
        assert engine.live() is None


@pytest.mark.parametrize("write", STREAMING)
async def test_a_growing_utterance_reads_as_the_whole_one(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    samples = read_audio(BUG_AND_BUDGET)
    async with create(settings(tmp_path, write)) as engine:
        texts = await grown(live_of(engine), samples)
        whole = Speech(samples=samples, ranges=(SpeechRange(start=0, end=len(samples)),))
        async with aclosing(engine.recognize(whole, ENGLISH)) as recognized:
            (segment,) = [each async for each in recognized]
    assert texts[-1] == segment.text
    assert len(set(texts)) > 5
    # Greedy search takes nothing back.
    for before, after in pairwise(texts):
        assert after.startswith(before)


@pytest.mark.parametrize("write", STREAMING)
async def test_speech_that_goes_on_after_its_probable_end_reads_as_if_it_had_not(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    samples = read_audio(BUG_AND_BUDGET)
    async with create(settings(tmp_path, write)) as engine:
        utterance = live_of(engine).open(ENGLISH)
        await utterance.read(samples[:30_000], Effort.PARTIAL)
        eager = await utterance.read(samples[:40_000], Effort.FULL)
        await utterance.read(samples[:50_000], Effort.PARTIAL)
        final = await utterance.read(samples, Effort.FULL)
        # A long utterance that is divided ends before what was read already.
        shorter = await utterance.read(samples[:40_000], Effort.FULL)
        expected = (await grown(live_of(engine), samples))[-1]
    assert final.text == expected
    assert shorter == eager


@pytest.mark.parametrize("write", STREAMING)
async def test_tracks_do_not_change_each_others_text(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    recordings = [read_audio(path) for path in (BUG_AND_BUDGET, SCHEDULE)] * 2
    async with create(settings(tmp_path, write)) as engine:
        live = live_of(engine)
        alone = [await grown(live, samples) for samples in recordings]
        together = await asyncio.gather(*(grown(live, samples) for samples in recordings))
    assert together == alone


async def test_a_final_has_words_with_times_and_a_partial_has_none(tmp_path: Path) -> None:
    samples = read_audio(BUG_AND_BUDGET)
    async with create(settings(tmp_path, write_k2_streaming)) as engine:
        utterance = live_of(engine).open(ENGLISH)
        partial = await utterance.read(samples[:60_000], Effort.PARTIAL)
        final = await utterance.read(samples, Effort.QUICK)
        plain = live_of(engine).open(RecognizeOptions(language="en", word_times=False))
        untimed = await plain.read(samples, Effort.FULL)
    assert partial.text
    assert not partial.words
    assert [word.text for word in final.words] == final.text.split()
    times = [time for word in final.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert final.language == "en"
    assert final.confidence is not None
    assert 0 < final.confidence <= 1
    assert (untimed.text, untimed.words) == (final.text, ())


async def test_a_reading_that_is_no_longer_wanted_harms_nothing(tmp_path: Path) -> None:
    samples = read_audio(BUG_AND_BUDGET)
    async with create(settings(tmp_path, write_nemo_streaming)) as engine:
        live = live_of(engine)
        expected = (await grown(live, samples))[-1]
        for delay in (0.0, 0.001, 0.01):
            utterance = live.open(ENGLISH)
            unwanted = asyncio.create_task(utterance.read(samples[:60_000], Effort.PARTIAL))
            await asyncio.sleep(delay)
            unwanted.cancel()
            assert (await utterance.read(samples, Effort.FULL)).text == expected


@pytest.mark.parametrize("length", [0, 1, 400])
async def test_hardly_any_audio_has_no_text_and_harms_nothing(length: int, tmp_path: Path) -> None:
    samples = read_audio(BUG_AND_BUDGET)
    async with create(settings(tmp_path, write_k2_streaming)) as engine:
        utterance = live_of(engine).open(ENGLISH)
        assert not (await utterance.read(samples[:length], Effort.PARTIAL)).text
        expected = (await grown(live_of(engine), samples))[-1]
        assert (await utterance.read(samples, Effort.FULL)).text == expected


@pytest.mark.parametrize("write", STREAMING)
async def test_the_service_reads_tracks_with_it(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    chosen = settings(tmp_path, write)
    samples = read_audio(BUG_AND_BUDGET)
    still = np.zeros(SAMPLE_RATE, np.int16)
    async with (
        create(chosen) as engine,
        open_live(chosen, engine) as live,
        served(live) as channel,
    ):
        found = await asyncio.gather(
            *(answers(channel, track(still, samples, still, samples, still)) for _ in range(3))
        )
    for responses in found:
        numbers = [final.utterance for final in of(responses, "final")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) > 1
        for final in of(responses, "final"):
            assert [word.word for word in final.words] == final.text.split()
            assert final.language_code == "en"
        assert of(responses, "ready")[0].engine.engine == "sherpa"
    assert len({text(responses) for responses in found}) == 1
