"""The parts of live recognition that need no call: audio, options, engines for recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie.asr.v1 import streaming_pb2 as streaming
from maie_asr.engine import RecognizeOptions
from maie_asr.live.engine import Effort
from maie_asr.live.models import open_live_engine, settings_of_own
from maie_asr.live.whole import WholeUtterances
from maie_asr.settings import ENGINES, AsrSettings, LiveSettings, WhisperSettings
from maie_core.live_options import overlay
from maie_runtime.worker.engines import load_engine
from maie_speech.live.audio import TrackAudio
from tests.asr.recordings import BUG_AND_BUDGET, read_audio, words_of
from tests.live_engine import InstantEngine, say

pytestmark = pytest.mark.unit


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 50)), max_size=20), st.data())
def test_audio_is_what_came_with_silence_in_its_place(
    pieces: list[tuple[bool, int]], data: st.DataObject
) -> None:
    audio, whole, forgotten = TrackAudio(100), np.zeros(100, np.int16), 100
    for loud, size in pieces:
        sound = np.full(size, 7 if loud else 0, np.int16)
        whole = np.concatenate([whole, sound])
        if loud:
            audio.append(sound.tobytes())
        else:
            audio.skip(size)
        forgotten = data.draw(st.integers(forgotten, len(whole)))
        audio.forget(forgotten)
    assert audio.end == len(whole)
    start = data.draw(st.integers(forgotten, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    assert (audio.samples(start, end) == whole[start:end]).all()


def test_changes_replace_what_they_name_alone() -> None:
    base = streaming.StreamingOptions()
    base.transcribe.hotwords.extend(["one", "two"])
    base.turns.min_silence.FromMilliseconds(1500)
    base.turns.threshold = 0.4
    changes = streaming.StreamingOptions()
    changes.transcribe.hotwords.append("three")
    changes.turns.min_silence.FromSeconds(2)
    changes.turns.eager_end = False
    changes.partials.enabled = False
    overlay(base, changes)
    assert list(base.transcribe.hotwords) == ["three"]
    assert base.turns.min_silence.ToMilliseconds() == 2000
    assert base.turns.threshold == 0.4
    assert base.turns.HasField("eager_end")
    assert base.partials.HasField("enabled")


@pytest.mark.slow
async def test_an_engine_for_recordings_reads_utterances_as_chunks() -> None:
    settings = AsrSettings(engine="pocketsphinx", live=LiveSettings(workers=1))
    own = settings_of_own(settings)
    async with load_engine(ENGINES, own.engine)(own) as engine:
        utterance = WholeUtterances(engine).open(RecognizeOptions(language="en"))
        samples = read_audio(BUG_AND_BUDGET)
        partial = await utterance.read(samples[: len(samples) // 2], Effort.PARTIAL)
        assert words_of(partial.text)[:4] == ["i", "will", "fix", "the"]
        assert not partial.words
        final = await utterance.read(samples, Effort.FULL)
    text = "i will fix the bug by friday the budget was approved last week"
    assert words_of(final.text) == words_of(text)
    assert [word.text for word in final.words] == final.text.split()
    assert final.language == "en"


async def test_live_speech_uses_the_engine_of_recordings_where_that_is_sound() -> None:
    engine = InstantEngine()
    async with open_live_engine(AsrSettings(), engine) as (reader, live):
        found: list[object] = [reader, live]
        assert found == [engine, engine]


async def test_live_speech_has_an_engine_of_its_own_where_it_is_set() -> None:
    settings = AsrSettings(live=LiveSettings(engine="pocketsphinx", workers=1))
    async with open_live_engine(settings, InstantEngine()) as (reader, live):
        assert reader.version(RecognizeOptions()).engine == "pocketsphinx"
        assert isinstance(live, WholeUtterances)
        assert not (await live.open(RecognizeOptions()).read(say("echo"), Effort.FULL)).words


def test_settings_of_its_own_reach_the_engine() -> None:
    whisper = WhisperSettings(device="cuda", variant="large", sha256="")
    live = LiveSettings(model_path=Path("/models/tiny"), device="cpu", workers=3)
    own = settings_of_own(AsrSettings(whisper=whisper, live=live))
    assert str(own.whisper.model_path) == "/models/tiny"
    assert (own.whisper.device, own.whisper.cpu_threads, own.whisper.variant) == ("cpu", 1, "")
    assert own.slots == 3
    assert not own.live.apart


def test_a_model_that_comes_and_goes_takes_no_live_speech() -> None:
    shared: dict[str, Any] = {"residency": "shared-gpu", "gpu": "node/0"}
    assert AsrSettings(**shared).live_tracks == 0
    assert AsrSettings(**shared, live=LiveSettings(device="cpu")).live_tracks > 0
    assert AsrSettings().live_tracks > 0
