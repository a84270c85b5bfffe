"""Real speech through Whisper, live: as right as in a recording, and stable on the way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import jiwer
import numpy as np
import pytest
import pytest_asyncio

from maie.asr.v1 import asr_pb2 as asr
from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import SAMPLE_RATE, Decoding, RecognizeOptions, Samples
from maie_asr.engines.whisper.engine import WhisperEngine, create
from maie_asr.engines.whisper.live import window_frames
from maie_asr.live.engine import Effort
from maie_asr.live.service import LiveService
from maie_asr.live.utterance import STABLE_SAMPLES
from maie_asr.settings import AsrSettings, LiveSettings, WhisperSettings
from maie_asr.stage import TranscribeStage, open_stage
from maie_core.durations import seconds
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs
from maie_speech.agreement import StablePrefix
from tests.asr.live.calling import END, PART_SAMPLES, Request, Response, config, of, parts, text
from tests.asr.real_models import real_model
from tests.asr.recordings import ROOT, read_audio, wav, words_of
from tests.asr.running import text_of, transcribe
from tests.asr.test_real_readings import TWO_CITIES, heard, said
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.unit, pytest.mark.asyncio(loop_scope="module")]

# The share of wrong words that live speech may have beyond a recording.
MAX_WORSE = 0.02
CLIPS = sorted((ROOT / "tests/data/librivox").glob("*[0-9].*"))
SAID = {
    "0870": "and mister john dashwood had then leisure to consider how much there might be "
    "prudently in his power to do for them",
    "0880": "he was not an ill disposed young man",
    "0890": "unless to be rather cold hearted and rather selfish is to be ill disposed",
    "0920": "had he married a more amiable woman he might have been made still more respectable "
    "than he was",
    "0930": "he might even have been made amiable himself",
}


def spoken(numbers: str = "0870 0880 0890 0920 0930", pause: float = 0.9) -> tuple[Samples, str]:
    """Sentences with pauses, and what is said."""
    quiet = np.random.default_rng(3).integers(-15, 15, round(pause * SAMPLE_RATE), np.int16)
    pieces = [quiet]
    for number in numbers.split():
        (path,) = (clip for clip in CLIPS if clip.stem.endswith(number))
        pieces += [read_audio(path), quiet]
    return np.concatenate(pieces), " ".join(SAID[number] for number in numbers.split())


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TranscribeStage]:
    folder = tmp_path_factory.mktemp("blobs")
    async with open_stage(settings(), Blobs(folder.as_uri())) as opened:
        yield opened


def settings(**live: Any) -> AsrSettings:
    whisper = WhisperSettings(model_path=real_model("whisper-tiny.en"), cpu_threads=1)
    return AsrSettings(engine="whisper", whisper=whisper, live=LiveSettings(workers=2, **live))


async def listen(
    live: LiveService | None,
    samples: Samples,
    options: streaming.StreamingOptions | None = None,
    pace: float = 0.5,
) -> list[Response]:
    """All that is answered to a track; a second of audio takes `pace` seconds or more."""
    assert live is not None

    async def requests() -> AsyncIterator[Request]:
        yield config(options=options)
        for part in parts(samples):
            yield part
            await asyncio.sleep(pace * PART_SAMPLES / SAMPLE_RATE)
        yield END

    while True:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), aclosing(live.answer(requests())) as all_:
                return [response async for response in all_]
        except StageError as error:
            if error.reason is not Reason.LIVE_BUSY:
                raise
            # The machine has other things to do.
            await asyncio.sleep(0.5)


def error_rate(expected: str, found: str) -> float:
    return jiwer.wer(expected, plain(found))


def plain(found: str) -> str:
    """The words of a text as a reader says them."""
    return " ".join(words_of(found.replace("Mr.", "mister").replace("-", " ")))


@pytest.mark.slow
async def test_live_speech_is_read_as_well_as_a_recording(
    stage: TranscribeStage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs").as_uri())
    without_partials = streaming.StreamingOptions()
    without_partials.partials.enabled = False
    references, recorded, live = [], [], []
    for samples, reference in (spoken(), (heard(TWO_CITIES), " ".join(said(TWO_CITIES)))):
        request = asr.TranscribeRequest(audio_content=wav(samples))
        recording = await transcribe(stage, request, blobs)
        found = await listen(stage.streams, samples, without_partials, pace=0)
        references.append(reference)
        recorded.append(plain(text_of(recording)))
        live.append(plain(text(found)))
    assert jiwer.wer(references, live) <= jiwer.wer(references, recorded) + MAX_WORSE, live


@pytest.mark.slow
async def test_stable_text_stays() -> None:
    words = changed = 0
    async with engine() as opened:
        live = opened.live()
        assert live is not None
        for number in SAID:
            samples, _ = spoken(number, pause=0.3)
            utterance, prefix = live.open(RecognizeOptions(language="en")), StablePrefix()
            stable = ""
            for end in range(STABLE_SAMPLES, len(samples), SAMPLE_RATE):
                partial = await utterance.read(samples[:end], Effort.PARTIAL)
                found = prefix.feed(partial.text).stable
                assert found.startswith(stable)
                stable = found
            final = words_of((await utterance.read(samples, Effort.FULL)).text)
            words += len(words_of(stable))
            changed += sum(word not in final for word in words_of(stable))
    assert words > 20
    # By measurement 3 of 100 change.
    assert changed <= 0.1 * words


async def test_words_have_times_within_the_utterance(stage: TranscribeStage) -> None:
    samples, _ = spoken("0880 0930")
    finals = of(await listen(stage.streams, samples), "final")
    for final in finals:
        assert words_of(" ".join(word.word for word in final.words)) == words_of(final.text)
        edges = [
            seconds(edge) for word in final.words for edge in (word.start_offset, word.end_offset)
        ]
        assert edges == sorted(edges)
        assert seconds(final.range.start_offset) <= edges[0]
        assert edges[-1] <= seconds(final.range.end_offset)
        assert 0.3 < final.confidence <= 1
        assert final.language_code == "en"


async def test_without_word_times_there_are_no_words(stage: TranscribeStage) -> None:
    samples, _ = spoken("0930")
    transcribed = asr.TranscribeOptions(word_time_offsets=False, hotwords=["amiable"])
    options = streaming.StreamingOptions(transcribe=transcribed)
    (final,) = of(await listen(stage.streams, samples, options), "final")
    assert not final.words
    assert "amiable" in words_of(final.text)


@pytest.mark.slow
async def test_tracks_at_the_same_time_do_not_mix(stage: TranscribeStage) -> None:
    tracks = [spoken(numbers) for numbers in ("0880 0930", "0930 0880", "0890")]
    found = await asyncio.gather(*(listen(stage.streams, samples) for samples, _ in tracks))
    for (_, sentences), responses in zip(tracks, found, strict=True):
        assert error_rate(sentences, text(responses)) < 0.2


@pytest.mark.parametrize(
    "kind",
    [*(pytest.param(kind, marks=pytest.mark.slow) for kind in ("noise", "hum")), "silence"],
)
async def test_nobody_says_nothing(stage: TranscribeStage, kind: str) -> None:
    time = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    sounds = {
        "noise": np.random.default_rng(2).standard_normal(len(time)) * 3000,
        "hum": 6000 * np.sin(2 * np.pi * 50 * time),
        "silence": np.zeros(len(time)),
    }
    found = await listen(stage.streams, sounds[kind].astype(np.int16))
    assert not text(found)


@pytest.mark.parametrize(
    ("frames", "window"),
    [(1, 1000), (800, 1000), (801, 1100), (1900, 2100), (2750, 3000), (3500, 3000)],
)
async def test_windows_are_as_short_as_the_speech(frames: int, window: int) -> None:
    assert window_frames(frames) == window


@asynccontextmanager
async def engine(**live: Any) -> AsyncIterator[WhisperEngine]:
    async with create(settings(**live)) as opened:
        yield opened


async def test_what_counts_as_a_loop_is_read_again_in_a_whole_window() -> None:
    samples, sentence = spoken("0880", pause=0.2)
    # Every text compresses better than that.
    loops = RecognizeOptions(language="en", decoding=Decoding(compression_ratio_threshold=0.01))
    async with engine() as opened:
        live = opened.live()
        assert live is not None
        utterance = live.open(loops)
        assert not (await utterance.read(samples, Effort.PARTIAL)).text
        whole = await utterance.read(samples, Effort.FULL)
        assert error_rate(sentence, whole.text) < 0.3
        assert whole.words


class HeldSamples:
    """Samples that can be read once they are let go."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self.let_go = threading.Event()

    def __len__(self) -> int:
        return len(self._samples)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Samples:
        self.let_go.wait()
        return self._samples


async def test_a_reading_that_is_dropped_ends_without_text() -> None:
    samples, sentence = spoken("0880", pause=0.2)
    async with engine() as opened:
        live = opened.live()
        assert live is not None
        utterance = live.open(RecognizeOptions(language="en"))
        held: Any = HeldSamples(samples)
        dropped = asyncio.create_task(utterance.read(held, Effort.FULL))
        await asyncio.sleep(0)
        utterance.drop()
        held.let_go.set()
        assert not (await dropped).text
        held = HeldSamples(samples)
        held.let_go.set()
        assert error_rate(sentence, (await utterance.read(held, Effort.FULL)).text) < 0.3


async def test_a_model_of_several_threads_is_not_shared() -> None:
    whisper = WhisperSettings(model_path=real_model("whisper-tiny.en"), cpu_threads=2)
    own = AsrSettings(engine="whisper", whisper=whisper)
    async with create(own) as opened:
        assert opened.live() is None


async def test_no_model_is_shared_where_live_speech_has_its_own() -> None:
    async with engine(model_path=real_model("whisper-tiny.en")) as opened:
        assert opened.live() is None
