"""Names of all kinds hold nothing that acts where it is shown."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from maie.asr.v1 import asr_pb2 as asr
from maie.job.v1 import job_pb2 as job
from maie_client.text import sendable_name
from maie_core.errors import Code, StageError
from maie_core.names import is_harmless
from maie_gateway.intake.submit_config import check_template_id, settled_config

pytestmark = pytest.mark.unit

HARMFUL = [
    *"\x00\x07\t\n\r\x1b\x7f\x85\x9b\u2028\u2029",
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
]
HARMLESS = [
    "Meeting 2026-11-29 12.30",
    "Grüße, naïve café",
    "会議\u3000録音",  # an ideographic space
    "Screenshot 9.41\u202fAM",  # a narrow no-break space, as macOS writes it
    "می\u200cخواهم",  # a non-joiner, without which Persian is misspelt
    "👩\u200d💻 call",
    "a*b?.> [x] 100 % {y}",
]


def refusal(config: job.JobConfig) -> tuple[str, str]:
    """Why a config is refused, and which field is at fault."""
    with pytest.raises(StageError) as refused:
        settled_config(config)
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert is_harmless(refused.value.message)
    return refused.value.reason, refused.value.field


def config_with(**fields: Any) -> job.JobConfig:
    return job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT], **fields)


@pytest.mark.parametrize("char", HARMFUL)
def test_a_name_with_a_harmful_character_is_refused_by_its_field(char: str) -> None:
    name = f"a{char}b"
    options = "config.asr_options"
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"labels": {"key": name}}, "LABELS_INVALID", "config.labels"),
        ({"labels": {name: "value"}}, "LABELS_INVALID", "config.labels"),
        ({"request_id": name}, "REQUEST_ID_INVALID", "config.request_id"),
        ({"display_name": name}, "DISPLAY_NAME_INVALID", "config.display_name"),
        ({"filename": name}, "FILENAME_INVALID", "config.filename"),
        ({"template_id": name}, "FIELD_INVALID", "config.template_id"),
        (
            {"asr_options": asr.TranscribeOptions(language_code=name)},
            "LANGUAGE_INVALID",
            f"{options}.language_code",
        ),
        (
            {"asr_options": asr.TranscribeOptions(hotwords=["fine", name])},
            "HOTWORDS_INVALID",
            f"{options}.hotwords",
        ),
    ]
    for fields, reason, field in cases:
        assert refusal(config_with(**fields)) == (reason, field)


@pytest.mark.parametrize("char", sorted(set(HARMFUL) - set("\t\n\r")))
def test_a_prompt_may_have_lines_and_nothing_else_that_acts(char: str) -> None:
    settled_config(config_with(asr_options=asr.TranscribeOptions(initial_prompt="A.\n\tB.\r\n")))
    prompt = asr.TranscribeOptions(initial_prompt=f"Minutes{char}.")
    found = refusal(config_with(asr_options=prompt))
    assert found == ("FIELD_INVALID", "config.asr_options.initial_prompt")


@pytest.mark.parametrize("name", HARMLESS)
def test_names_as_people_write_them_are_taken_unchanged(name: str) -> None:
    asked = config_with(
        display_name=name,
        request_id=name,
        filename=name,
        labels={"key": name},
        asr_options=asr.TranscribeOptions(hotwords=[name]),
    )
    settled = settled_config(asked)
    assert (settled.display_name, settled.request_id, settled.filename) == (name, name, name)
    assert settled.labels["key"] == settled.asr_options.hotwords[0] == name


@pytest.mark.parametrize("code", ["en", "en-GB", "zh-Hant-TW", "pt_BR", "auto", "x-whatever-1"])
def test_tags_of_languages_are_taken(code: str) -> None:
    settled_config(config_with(asr_options=asr.TranscribeOptions(language_code=code)))


@pytest.mark.parametrize("code", ["en ", "-en", "../en", "e" * 36, "<|en|>", "en--GB", "日本語"])
def test_what_is_no_tag_of_a_language_is_refused(code: str) -> None:
    config = config_with(asr_options=asr.TranscribeOptions(language_code=code))
    assert refusal(config) == ("LANGUAGE_INVALID", "config.asr_options.language_code")


@pytest.mark.parametrize("name", ["", "../meeting", "a/b", "a.b", "a*", ">", "a\\b", "x" * 65])
def test_what_names_no_template_is_refused(name: str) -> None:
    with pytest.raises(StageError) as refused:
        check_template_id(name, field="template_id")
    assert (refused.value.reason, refused.value.field) == ("FIELD_INVALID", "template_id")


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(315_576_000_000, 0), (2**63 - 1, 999_999_999), (-(2**63), -1), (0, 2**31 - 1), (4, 999)],
)
def test_a_chunk_of_any_impossible_length_is_an_invalid_argument(seconds: int, nanos: int) -> None:
    config = config_with(chunk_duration=Duration(seconds=seconds, nanos=nanos))
    assert refusal(config) == ("CHUNK_DURATION_INVALID", "config.chunk_duration")


@given(st.text())
def test_a_name_is_harmful_or_stays_on_one_line(name: str) -> None:
    if is_harmless(name):
        assert len(name.splitlines()) <= 1


@given(st.text(min_size=1))
def test_a_file_of_any_name_on_a_disk_is_sent_under_one_that_is_taken(name: str) -> None:
    settled_config(config_with(filename=sendable_name(name)))


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_name_of_a_file_is_sent_as_it_is(name: str) -> None:
    assert sendable_name(name) == name
