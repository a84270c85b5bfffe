"""What the stage does around its engine."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_asr.engine import (
    SAMPLE_RATE,
    Capabilities,
    Decoding,
    RecognizedSegment,
    RecognizedWord,
    RecognizeOptions,
    Speech,
    SpeechRange,
)
from maie_asr.settings import AsrSettings, SuspectTextPolicy, SuspectTextSettings
from maie_asr.stage import TranscribeStage, open_stage
from maie_core.errors import Code, StageError
from maie_runtime.blobs import Blobs
from tests.asr.recordings import LIBRIVOX, SCHEDULE, chunk_request, read_audio, store_plan, wav
from tests.asr.running import context, responses, transcribe

pytestmark = pytest.mark.unit

SECOND = SAMPLE_RATE
WITH_DECODING_OPTIONS = Capabilities(
    language_codes=("en", "de"), translates=True, decoding_options=True
)
SILENCE = np.zeros(10 * SECOND, np.int16)
# Ten seconds in which somebody speaks all the time.
SPOKEN = np.resize(read_audio(LIBRIVOX[0])[SECOND // 2 : 6 * SECOND], 10 * SECOND)


class ScriptedEngine:
    """Gives the same segments for every chunk and remembers what it was asked."""

    description = "Reads nothing."
    vram_bytes = 0
    weights = None

    def __init__(
        self,
        segments: Sequence[RecognizedSegment] = (),
        capabilities: Capabilities = Capabilities(language_codes=("en", "de")),  # noqa: B008
    ) -> None:
        self.capabilities = capabilities
        self.asked: list[tuple[Speech, RecognizeOptions]] = []
        self.closed = 0
        self._segments = segments

    def version(self, options: RecognizeOptions) -> common.EngineVersion:
        return common.EngineVersion(engine="scripted", parameters={"language": options.language})

    async def recognize(
        self, speech: Speech, options: RecognizeOptions
    ) -> AsyncGenerator[RecognizedSegment, None]:
        self.asked.append((speech, options))
        try:
            for segment in self._segments:
                yield segment
        finally:
            self.closed += 1


@contextmanager
def stage_of(
    engine: ScriptedEngine, settings: AsrSettings | None = None
) -> Iterator[TranscribeStage]:
    with ThreadPoolExecutor(1, "asr-source") as executor:
        yield TranscribeStage(engine, settings or AsrSettings(), executor)


def said(text: str, start: float, end: float, **more: Any) -> RecognizedSegment:
    return RecognizedSegment(text=text, start=start, end=end, language="en", **more)


async def error_of(request: asr.TranscribeRequest, blobs: Blobs) -> StageError:
    with stage_of(ScriptedEngine()) as stage, pytest.raises(StageError) as caught:
        await responses(stage, request, blobs)
    return caught.value


def span(start: float, end: float) -> SpeechRange:
    return SpeechRange(start=round(start * SECOND), end=round(end * SECOND))


async def test_times_are_relative_to_the_recording(blobs: Blobs) -> None:
    word = RecognizedWord(text="hello", start=2.25, end=2.5, confidence=0.5)
    engine = ScriptedEngine([said("hello", 2.2, 2.6, words=(word,), confidence=0.75)])
    plan = await store_plan(blobs, SPOKEN, [[span(1, 2)], [span(6, 7), span(8, 9)]])
    with stage_of(engine) as stage:
        transcript = await transcribe(stage, chunk_request(plan, 1), blobs)
    # The cut is in the middle of the pause, at 4 s.
    assert engine.asked[0][0].ranges == (span(2, 3), span(4, 5))
    assert len(engine.asked[0][0].samples) == 6 * SECOND
    segment = transcript.segments[0]
    assert segment.segment_id == "c0001-s0000"
    assert segment.start_offset.ToMilliseconds() == 6200
    assert segment.end_offset.ToMilliseconds() == 6600
    assert segment.words[0].start_offset.ToMilliseconds() == 6250
    assert (segment.confidence, segment.words[0].confidence) == (0.75, 0.5)


async def test_answers_bit_by_bit_and_the_whole_at_last(blobs: Blobs) -> None:
    engine = ScriptedEngine([said("one", 1, 2), said("", 3, 4), said("two", 8, 12)])
    samples = SPOKEN.copy()
    samples[2 * SECOND : 8 * SECOND] = 0
    plan = await store_plan(blobs, samples, [[span(1, 9)]])
    with stage_of(engine) as stage:
        answers = await responses(stage, chunk_request(plan, 0), blobs)
    kinds = [answer.WhichOneof("update") for answer in answers]
    # The second segment waits, for there may be words before it.
    assert kinds == ["segment", "progress", "progress", "progress", "segment", "result"]
    fractions = [answer.progress.fraction for answer in answers if answer.HasField("progress")]
    assert fractions == [0.2, 0.4, 1.0]
    sent = [answer.segment for answer in answers if answer.HasField("segment")]
    assert list(answers[-1].result.segments) == sent
    assert [segment.segment_id for segment in sent] == ["c0000-s0000", "c0000-s0001"]


async def test_a_confidence_that_an_engine_lacks_stays_unset(blobs: Blobs) -> None:
    word = RecognizedWord(text="one", start=1, end=2)
    plan = await store_plan(blobs, SPOKEN, [[span(1, 2)]])
    with stage_of(ScriptedEngine([said("one", 1, 2, words=(word,))])) as stage:
        transcript = await transcribe(stage, chunk_request(plan, 0), blobs)
    assert not transcript.segments[0].HasField("confidence")
    assert not transcript.segments[0].words[0].HasField("confidence")


async def test_a_chunk_without_speech_has_an_empty_transcript(blobs: Blobs) -> None:
    engine = ScriptedEngine([said("never", 0, 1)])
    plan = await store_plan(blobs, SILENCE, [[]])
    with stage_of(engine) as stage:
        transcript = await transcribe(stage, chunk_request(plan, 0), blobs)
        silent = await transcribe(stage, asr.TranscribeRequest(audio_content=wav(SILENCE)), blobs)
    assert not engine.asked
    assert not transcript.segments
    assert not silent.segments
    assert transcript.asr_engine.engine == "scripted"


async def test_leaving_early_closes_the_engines_iteration(blobs: Blobs) -> None:
    engine = ScriptedEngine([said("one", 1, 2), said("two", 3, 4)])
    plan = await store_plan(blobs, SILENCE, [[span(1, 4)]])
    with stage_of(engine) as stage:
        run = stage.run(chunk_request(plan, 0), context(blobs))
        await anext(run)
        await run.aclose()
    assert engine.closed == 1


async def test_the_language_of_a_request_is_reduced_to_its_primary_subtag(blobs: Blobs) -> None:
    assert await language_asked(blobs, "de-CH") == "de"
    assert await language_asked(blobs, "EN_us") == "en"
    assert await language_asked(blobs, "") == ""


async def test_settings_fill_in_what_a_request_leaves_unset(blobs: Blobs) -> None:
    settings = AsrSettings(language_code="de", hotwords=("maie",), word_time_offsets=False)
    engine = ScriptedEngine()
    plan = await store_plan(blobs, SILENCE, [[span(1, 2)]])
    with stage_of(engine, settings) as stage:
        await transcribe(stage, chunk_request(plan, 0), blobs)
        request = chunk_request(plan, 0)
        request.options.MergeFrom(
            asr.TranscribeOptions(language_code="en", hotwords=["you"], word_time_offsets=True)
        )
        await transcribe(stage, request, blobs)
    assert [options for _, options in engine.asked] == [
        RecognizeOptions(language="de", hotwords=("maie",), word_times=False),
        RecognizeOptions(language="en", hotwords=("you",), word_times=True),
    ]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"task": asr.TRANSCRIBE_TASK_TRANSLATE}, "options.task"),
        ({"initial_prompt": "Minutes."}, "options.initial_prompt"),
        ({"decoding": asr.DecodingOptions(beam_size=2)}, "options.decoding"),
        ({"silence": asr.SilenceOptions(vad_filter=False)}, "options.silence"),
    ],
)
async def test_what_the_engine_cannot_do_is_refused(
    blobs: Blobs, options: dict[str, Any], field: str
) -> None:
    plan = await store_plan(blobs, SILENCE, [[]])
    request = chunk_request(plan, 0)
    request.options.MergeFrom(asr.TranscribeOptions(**options))
    error = await error_of(request, blobs)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "OPTION_NOT_SUPPORTED")
    assert error.field == field


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"initial_prompt": "a" * 2001}, "initial_prompt"),
        ({"decoding": {"beam_size": 0}}, "decoding.beam_size"),
        ({"decoding": {"beam_size": 33}}, "decoding.beam_size"),
        ({"decoding": {"temperatures": [0.0, 1.5]}}, "decoding.temperatures"),
        ({"decoding": {"temperatures": [0.0] * 11}}, "decoding.temperatures"),
        (
            {"decoding": {"compression_ratio_threshold": math.nan}},
            "decoding.compression_ratio_threshold",
        ),
        ({"decoding": {"log_prob_threshold": 0.5}}, "decoding.log_prob_threshold"),
        ({"decoding": {"no_speech_threshold": -0.1}}, "decoding.no_speech_threshold"),
        ({"silence": {"min_silence": {"seconds": 61}}}, "silence.min_silence"),
        ({"silence": {"speech_pad": {"seconds": -1}}}, "silence.speech_pad"),
        ({"silence": {"threshold": 0.0}}, "silence.threshold"),
        ({"silence": {"threshold": 1.0}}, "silence.threshold"),
        ({"silence": {"threshold": math.nan}}, "silence.threshold"),
    ],
)
async def test_options_out_of_range_are_refused(
    blobs: Blobs, options: dict[str, Any], field: str
) -> None:
    request = chunk_request(await store_plan(blobs, SILENCE, [[]]), 0)
    request.options.MergeFrom(asr.TranscribeOptions(**options))
    engine = ScriptedEngine(capabilities=WITH_DECODING_OPTIONS)
    with stage_of(engine) as stage, pytest.raises(StageError) as caught:
        await responses(stage, request, blobs)
    assert (caught.value.code, caught.value.reason) == (
        Code.INVALID_ARGUMENT,
        "OPTION_OUT_OF_RANGE",
    )
    assert caught.value.field == f"options.{field}"


async def test_an_engine_with_decoding_options_gets_every_option_of_a_request(blobs: Blobs) -> None:
    engine = ScriptedEngine(capabilities=WITH_DECODING_OPTIONS)
    request = chunk_request(await store_plan(blobs, SILENCE, [[span(1, 2)]]), 0)
    request.options.MergeFrom(
        asr.TranscribeOptions(
            initial_prompt="",
            decoding=asr.DecodingOptions(
                beam_size=2,
                temperatures=[0.0, 0.5],
                log_prob_threshold=-2.0,
                condition_on_previous_text=False,
            ),
            silence={
                "vad_filter": True,
                "min_silence": {"nanos": 250_000_000},
                "threshold": 0.25,
            },
        )
    )
    with stage_of(engine) as stage:
        await transcribe(stage, request, blobs)
    asked = engine.asked[0][1]
    assert asked.initial_prompt == ""
    assert asked.decoding == Decoding(
        beam_size=2,
        temperatures=(0.0, 0.5),
        log_prob_threshold=-2.0,
        condition_on_previous_text=False,
        vad_filter=True,
        min_silence_ms=250,
        vad_threshold=0.25,
    )


async def test_a_translation_is_english_and_names_what_was_spoken(blobs: Blobs) -> None:
    spoken = RecognizedSegment(text="hello", start=1, end=2, language="de")
    engine = ScriptedEngine([spoken], WITH_DECODING_OPTIONS)
    request = chunk_request(await store_plan(blobs, SILENCE, [[span(1, 2)]]), 0)
    request.options.task = asr.TRANSCRIBE_TASK_TRANSLATE
    with stage_of(engine) as stage:
        translated = await transcribe(stage, request, blobs)
    with stage_of(engine, AsrSettings(translate=True)) as stage:
        request.options.task = asr.TRANSCRIBE_TASK_TRANSCRIBE
        transcribed = await transcribe(stage, request, blobs)
    assert [options.translate for _, options in engine.asked] == [True, False]
    assert (translated.language_code, translated.translated_from) == ("en", "de")
    assert (transcribed.language_code, transcribed.translated_from) == ("de", "")


@pytest.mark.parametrize(
    ("asked", "setting", "kept", "removed"),
    [
        (asr.SUSPECT_TEXT_POLICY_UNSPECIFIED, "remove", ["one", "two"], [True]),
        (asr.SUSPECT_TEXT_POLICY_REPORT, "remove", ["one", "thanks", "two"], [False]),
        (asr.SUSPECT_TEXT_POLICY_REMOVE, "off", ["one", "two"], [True]),
        (asr.SUSPECT_TEXT_POLICY_OFF, "report", ["one", "thanks", "two"], []),
    ],
)
async def test_suspect_text_is_left_out_reported_or_kept(
    blobs: Blobs,
    asked: asr.SuspectTextPolicy,
    setting: SuspectTextPolicy,
    kept: list[str],
    removed: list[bool],
) -> None:
    settings = AsrSettings(suspect_text=SuspectTextSettings(policy=setting))
    plan = await store_plan(blobs, SPOKEN, [[span(1, 2), span(6, 8)]])
    request = chunk_request(plan, 0)
    request.options.suspect_text_policy = asked
    engine = ScriptedEngine([said("one", 1, 2), said("thanks", 3, 4), said("two", 6, 7)])
    with stage_of(engine, settings) as stage:
        transcript = await transcribe(stage, request, blobs)
    assert [segment.text for segment in transcript.segments] == kept
    assert [each.removed for each in transcript.suspect_texts] == removed
    for suspect in transcript.suspect_texts:
        assert suspect.text == "thanks"
        assert suspect.reason == common.SUSPECT_REASON_NON_SPEECH
        assert suspect.range.start_offset.seconds == 3
    ids = [segment.segment_id for segment in transcript.segments]
    assert ids == [f"c0000-s{number:04d}" for number in range(len(kept))]


@pytest.mark.parametrize(
    ("spoken", "confidence", "kept"),
    [
        # Recognisers are sure of what they invent for silence.
        (False, 0.99, False),
        (True, 0.9, True),
        (True, 0.3, False),
        (True, None, False),
    ],
)
async def test_confident_text_stays_where_the_vad_is_unsure(
    blobs: Blobs, spoken: bool, confidence: float | None, kept: bool
) -> None:
    speech = read_audio(LIBRIVOX[0]) if spoken else SILENCE[: 7 * SECOND]
    # The plan has speech only in the last second.
    plan = await store_plan(blobs, np.concatenate([speech, SILENCE]), [[span(16, 17)]])
    engine = ScriptedEngine([said("heard or not", 0.5, 6.5, confidence=confidence)])
    with stage_of(engine) as stage:
        transcript = await transcribe(stage, chunk_request(plan, 0), blobs)
    assert [segment.text for segment in transcript.segments] == ["heard or not"] * kept
    assert [each.reason for each in transcript.suspect_texts] == (
        [] if kept else [common.SUSPECT_REASON_NON_SPEECH]
    )


async def test_a_language_that_the_engine_cannot_read_is_refused(blobs: Blobs) -> None:
    plan = await store_plan(blobs, SILENCE, [[]])
    request = chunk_request(plan, 0)
    request.options.language_code = "tlh"
    error = await error_of(request, blobs)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "LANGUAGE_NOT_SUPPORTED")
    assert error.field == "options.language_code"


@pytest.mark.slow
async def test_pocketsphinx_reads_english_only(blobs: Blobs) -> None:
    request = asr.TranscribeRequest(audio_content=wav(read_audio(SCHEDULE)))
    async with open_stage(AsrSettings(engine="pocketsphinx"), blobs) as stage:
        assert (await transcribe(stage, request, blobs)).language_code == "en"
        request.options.language_code = "vi"
        with pytest.raises(StageError) as caught:
            await transcribe(stage, request, blobs)
        request.options.language_code = "en-US"
        transcript = await transcribe(stage, request, blobs)
    assert caught.value.reason == "LANGUAGE_NOT_SUPPORTED"
    assert [segment.text for segment in transcript.segments] == ["the project is on schedule"]
    assert not transcript.punctuated


async def test_an_engine_that_does_not_exist_stops_the_start(blobs: Blobs) -> None:
    with pytest.raises(StageError) as caught:
        async with open_stage(AsrSettings(engine="ears"), blobs):
            pass
    assert caught.value.reason == "ENGINE_NOT_FOUND"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "AUDIO_CORRUPT"),
        (b"RIFF\x00\x00", "AUDIO_CORRUPT"),
        (b"OggS" * 100, "AUDIO_CORRUPT"),
        (wav(SILENCE)[:30], "AUDIO_CORRUPT"),
        (wav(SILENCE[:0]), "AUDIO_EMPTY"),
        (wav(SILENCE, rate=8000), "UNSUPPORTED_FORMAT"),
        (wav(SILENCE, channels=2), "UNSUPPORTED_FORMAT"),
    ],
)
async def test_audio_that_is_not_as_agreed_is_refused(
    blobs: Blobs, content: bytes, reason: str
) -> None:
    error = await error_of(asr.TranscribeRequest(audio_content=content), blobs)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, reason)


async def test_audio_that_was_cut_off_within_a_sample_is_read_up_to_there(blobs: Blobs) -> None:
    content = wav(read_audio(SCHEDULE))[:-1]
    engine = ScriptedEngine([said("heard", 0, 1)])
    with stage_of(engine) as stage:
        assert (
            await transcribe(stage, asr.TranscribeRequest(audio_content=content), blobs)
        ).segments


async def test_too_much_audio_inside_a_request_is_refused(blobs: Blobs) -> None:
    error = await error_of(asr.TranscribeRequest(audio_content=bytes(17 * 1024 * 1024)), blobs)
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "AUDIO_TOO_LARGE")
    assert "16 MiB" in error.message


async def test_a_request_must_name_speech_that_exists(blobs: Blobs) -> None:
    assert (await error_of(asr.TranscribeRequest(), blobs)).reason == "SOURCE_MISSING"
    for changed, field in (
        (preprocess.Chunk(index=-1), "speech_chunk.index"),
        (preprocess.Chunk(speech=[_seconds(3, 2)]), "speech_chunk.speech"),
        (preprocess.Chunk(speech=[_seconds(1, 3), _seconds(2, 4)]), "speech_chunk.speech"),
    ):
        request = chunk_request(await store_plan(blobs, SILENCE, [[span(1, 2)]]), 0)
        request.speech_chunk.MergeFrom(changed)
        error = await error_of(request, blobs)
        assert (error.reason, error.field) == ("CHUNK_INVALID", field)


async def test_no_more_is_read_than_the_audio_of_the_chunk(blobs: Blobs) -> None:
    plan = await store_plan(blobs, SPOKEN, [[span(1, 2)], [span(6, 7)]])
    await blobs.delete(plan.chunks[0].audio.key)
    with stage_of(ScriptedEngine([said("heard", 2, 3)])) as stage:
        assert (await transcribe(stage, chunk_request(plan, 1), blobs)).segments


def _seconds(start: int, end: int) -> common.TimeRange:
    made = common.TimeRange()
    made.start_offset.FromSeconds(start)
    made.end_offset.FromSeconds(end)
    return made


async def test_environment_names_settings_of_service_and_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAIE_ASR_ENGINE", "whisper")
    monkeypatch.setenv("MAIE_ASR_SLOTS", "3")
    monkeypatch.setenv("MAIE_ASR_WHISPER_MODEL_PATH", "/models/small")
    monkeypatch.setenv("MAIE_ASR_WHISPER_DEVICE_INDEX", "[0, 1]")
    monkeypatch.setenv("MAIE_ASR_POCKETSPHINX_MARGIN_SECONDS", "0.25")
    settings = AsrSettings()
    assert (settings.engine, settings.slots) == ("whisper", 3)
    assert str(settings.whisper.model_path) == "/models/small"
    assert settings.whisper.device_index == (0, 1)
    assert settings.pocketsphinx.margin_seconds == 0.25


async def language_asked(blobs: Blobs, tag: str) -> str:
    engine = ScriptedEngine()
    request = chunk_request(await store_plan(blobs, SILENCE, [[span(1, 2)]]), 0)
    request.options.language_code = tag
    with stage_of(engine) as stage:
        await transcribe(stage, request, blobs)
    return engine.asked[0][1].language
