"""Options of the contract as they are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_cli.arguments import ChannelName, FeatureName, parse_speaker_names
from maie_cli.commands.process import DEFAULT_TEMPLATE, job_options
from maie_cli.options import (
    parse_options,
    reading_options,
    recording_options,
    speaker_options,
    stage_options,
)
from tests.cli.command import maie_at
from tests.client.fake_gateway import FakeJobs, script, serving

pytestmark = pytest.mark.unit


ALL_ASR = [
    "language_code=de",
    "hotwords=maie, Budget",
    "word_time_offsets=false",
    "task=translate",
    "initial_prompt=Minutes, of = Monday.",
    "beam_size=5",
    "temperatures=0,0.2,0.4",
    "compression_ratio_threshold=2.4",
    "log_prob_threshold=-1",
    "no_speech_threshold=0.6",
    "condition_on_previous_text=TRUE",
    "vad_filter=true",
    "min_silence=0.5",
    "speech_pad=0.25",
    "threshold=0.3",
    "suspect_text_policy=remove",
]
ALL_GENERATION = [
    "temperature=0.5",
    "top_p=0.9",
    "top_k=40",
    "min_p=0.05",
    "repetition_penalty=1.1",
    "presence_penalty=-0.5",
    "frequency_penalty=0.5",
    "seed=7",
    "max_tokens=500",
]


def leaves(kind: Any) -> set[str]:
    found: set[str] = set()
    for field in kind.fields:
        inner = field.message_type
        plain = inner is None or inner.full_name == "google.protobuf.Duration"
        found |= {field.name} if plain else leaves(inner)
    return found


def names(pairs: list[str]) -> set[str]:
    return {pair.partition("=")[0] for pair in pairs}


def test_all_that_the_contract_has_can_be_typed() -> None:
    assert names(ALL_ASR) == leaves(asr.TranscribeOptions.DESCRIPTOR)
    assert names(ALL_GENERATION) == leaves(common.GenerationOptions.DESCRIPTOR)


def test_no_two_options_of_a_stage_have_the_same_name() -> None:
    options = asr.TranscribeOptions.DESCRIPTOR
    decoding, silence = asr.DecodingOptions.DESCRIPTOR, asr.SilenceOptions.DESCRIPTOR
    typed = [field.name for kind in (options, decoding, silence) for field in kind.fields]
    assert len(typed) == len(set(typed))


def test_asr_options_are_read_as_the_contract_has_them() -> None:
    expected = asr.TranscribeOptions(
        language_code="de",
        hotwords=["maie", "Budget"],
        word_time_offsets=False,
        task=asr.TRANSCRIBE_TASK_TRANSLATE,
        initial_prompt="Minutes, of = Monday.",
        decoding=asr.DecodingOptions(
            beam_size=5,
            temperatures=[0, 0.2, 0.4],
            compression_ratio_threshold=2.4,
            log_prob_threshold=-1,
            no_speech_threshold=0.6,
            condition_on_previous_text=True,
        ),
        silence={
            "vad_filter": True,
            "min_silence": {"nanos": 500_000_000},
            "speech_pad": {"nanos": 250_000_000},
            "threshold": 0.3,
        },
        suspect_text_policy=asr.SUSPECT_TEXT_POLICY_REMOVE,
    )
    assert parse_options(ALL_ASR, asr.TranscribeOptions(), "--asr") == expected


def test_generation_options_are_read_as_the_contract_has_them() -> None:
    expected = common.GenerationOptions(
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        min_p=0.05,
        repetition_penalty=1.1,
        presence_penalty=-0.5,
        frequency_penalty=0.5,
        seed=7,
        max_tokens=500,
    )
    assert parse_options(ALL_GENERATION, common.GenerationOptions(), "--summary") == expected


def test_what_is_typed_twice_is_what_was_typed_last() -> None:
    typed = ["temperatures=0,1", "task=translate", "temperatures=0.3", "task=transcribe"]
    options = parse_options(typed, asr.TranscribeOptions(), "--asr")
    assert list(options.decoding.temperatures) == [0.3]
    assert options.task == asr.TRANSCRIBE_TASK_TRANSCRIBE


def test_what_is_not_typed_is_not_set() -> None:
    assert stage_options((), (), ()) == {}
    options = parse_options(["task=translate"], asr.TranscribeOptions(), "--asr")
    assert not options.HasField("decoding")
    assert not options.HasField("silence")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("beam", "write NAME=VALUE with a name out of language_code, .*, not 'beam'"),
        ("beams=3", "not 'beams=3'"),
        ("decoding=1", "not 'decoding=1'"),
        ("task=sing", "task: 'sing' is none of transcribe, translate"),
        ("task=unspecified", "is none of"),
        ("vad_filter=maybe", "vad_filter: 'maybe' is none of true, false"),
        ("beam_size=2.5", "beam_size: '2.5' is no whole number"),
        ("beam_size=99999999999", "beam_size: Value out of range"),
        ("temperatures=0,hot", "temperatures: 'hot' is no number"),
        ("min_silence=1m", "min_silence: '1m' is no number of seconds"),
        ("min_silence=nan", "min_silence: 'nan' is no number of seconds"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(typer.BadParameter, match=sentence):
        parse_options([typed], asr.TranscribeOptions(), "--asr")


@pytest.mark.parametrize(
    ("channels", "track", "expected"),
    [
        ("mix", "", preprocess.RecordingOptions(channels=preprocess.CHANNEL_MODE_MIX)),
        ("split", "", preprocess.RecordingOptions(channels=preprocess.CHANNEL_MODE_SPLIT)),
        (
            "auto",
            "2",
            preprocess.RecordingOptions(channels=preprocess.CHANNEL_MODE_AUTO, track=2),
        ),
        (None, "all", preprocess.RecordingOptions(all_tracks=True)),
    ],
)
def test_channels_and_tracks_are_read_as_the_contract_has_them(
    channels: ChannelName | None, track: str, expected: preprocess.RecordingOptions
) -> None:
    assert recording_options(channels, track) == {"recording_options": expected}


def test_where_neither_is_typed_the_mesh_chooses() -> None:
    assert recording_options(None, "") == {}


@pytest.mark.parametrize("track", ["0", "-1", "1.5", "two", "ALL ", "²", "99999999999"])
def test_a_track_that_cannot_be_is_refused_with_a_sentence(track: str) -> None:
    with pytest.raises(typer.BadParameter, match="write the number of a track, from 1, or all"):
        recording_options(None, track)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("auto", diarization.SpeakerOptions()),
        ("2", diarization.SpeakerOptions(speaker_count=2)),
        ("2-4", diarization.SpeakerOptions(min_speaker_count=2, max_speaker_count=4)),
    ],
)
def test_numbers_of_speakers_are_read(typed: str, expected: diarization.SpeakerOptions) -> None:
    assert speaker_options(typed) == {"speaker_options": expected}


@pytest.mark.parametrize("typed", ["two", "2-", "-2", "2 - 4", "1.5", "²", "99999999999", "auto-2"])
def test_a_number_of_speakers_that_cannot_be_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(typer.BadParameter, match="write auto, a number such as 2, or bounds"):
        speaker_options(typed)


RAW, CLEAN, SUMMARY, SPEAKERS = (
    FeatureName.RAW_TRANSCRIPT,
    FeatureName.CLEAN_TRANSCRIPT,
    FeatureName.SUMMARY,
    FeatureName.SPEAKERS,
)


@pytest.mark.parametrize(
    ("features", "expected", "template"),
    [
        ([], [CLEAN, SUMMARY, SPEAKERS], DEFAULT_TEMPLATE),
        ([RAW], [RAW, SPEAKERS], ""),
        ([SPEAKERS, RAW], [RAW, SPEAKERS], ""),
    ],
)
def test_speakers_are_asked_for_beside_what_else_is(
    features: list[FeatureName], expected: list[FeatureName], template: str
) -> None:
    options = job_options(features, "", "", None, "2")
    assert (options["features"], options["template_id"]) == (expected, template)
    assert options["speaker_options"].speaker_count == 2
    assert "speaker_options" not in job_options(features, "", "", None)


def test_names_of_speakers_are_read() -> None:
    assert parse_speaker_names(["S1=Anna", "S2=Ben = B.", "S3="]) == {
        "S1": "Anna",
        "S2": "Ben = B.",
        "S3": "",
    }
    for typed in ("Anna", "=Anna", ""):
        with pytest.raises(typer.BadParameter, match="write ID=NAME, such as S1=Anna"):
            parse_speaker_names([typed])


async def maie(jobs: FakeJobs, *arguments: object) -> tuple[int, str]:
    async with serving(jobs) as address:
        code, _, errors = await maie_at(address, *arguments)
    return code, errors


async def test_the_command_hands_them_on(tmp_path: Path) -> None:
    recording = tmp_path / "talk.wav"
    recording.write_bytes(b"sound")
    jobs = FakeJobs(script())
    typed = ["--channels", "split", "--track", "2", "--speakers", "2-3"]
    typed += ["--asr", "task=translate", "--asr", "beam_size=5", "--language", "de"]
    typed += [
        "--enhancement",
        "temperature=0",
        "--summary",
        "temperature=0.3",
        "--summary",
        "seed=7",
    ]
    code, _ = await maie(jobs, "process", recording, "-q", *typed)
    assert code == 0
    config = jobs.upload.config
    assert config.asr_options == asr.TranscribeOptions(
        language_code="de", task=asr.TRANSCRIBE_TASK_TRANSLATE, decoding={"beam_size": 5}
    )
    assert config.recording_options == preprocess.RecordingOptions(
        channels=preprocess.CHANNEL_MODE_SPLIT, track=2
    )
    assert config.speaker_options == diarization.SpeakerOptions(
        min_speaker_count=2, max_speaker_count=3
    )
    assert job.FEATURE_SPEAKERS in config.features
    assert config.enhancement_generation == common.GenerationOptions(temperature=0.0)
    assert config.summary_generation == common.GenerationOptions(temperature=0.3, seed=7)


async def test_the_command_refuses_a_wrong_one_before_it_asks_anybody(tmp_path: Path) -> None:
    recording = tmp_path / "talk.wav"
    recording.write_bytes(b"sound")
    jobs = FakeJobs(script())
    code, errors = await maie(jobs, "process", recording, "--summary", "warmth=3")
    assert code == 2
    assert "warmth" in errors


def test_the_text_of_a_reading_comes_from_a_file(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes("\ufeffNaïve words.\n".encode())
    assert reading_options(text, [FeatureName.READING]) == {"reading_text": "Naïve words.\n"}
    assert reading_options(None, [FeatureName.SUMMARY]) == {}


@pytest.mark.parametrize(
    ("content", "features", "message"),
    [
        (None, [FeatureName.READING], "needs the text"),
        (b"Words", [FeatureName.SUMMARY], "where --feature reading"),
        (b"\xff\xfe", [FeatureName.READING], "not a text file in UTF-8"),
    ],
)
def test_a_text_without_its_feature_and_the_reverse_are_refused(
    tmp_path: Path, content: bytes | None, features: list[FeatureName], message: str
) -> None:
    text = tmp_path / "text.txt"
    if content is not None:
        text.write_bytes(content)
    with pytest.raises(typer.BadParameter, match=message):
        reading_options(None if content is None else text, features)
