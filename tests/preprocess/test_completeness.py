"""A file that lacks a part of itself is refused or says so."""

from __future__ import annotations

import functools

import pytest

from maie_preprocess.normalize import RefusedError
from tests.preprocess import recordings
from tests.preprocess.decoded import decoded
from tests.preprocess.test_containers import KINDS

pytestmark = pytest.mark.unit

SECONDS = 20.0
FRAGMENTS = {"frag_duration": "1000000", "movflags": "frag_keyframe+empty_moov+default_base_moof"}
# The encoding, the container that its packets go to, and options of its muxer.
REMUXED: dict[str, tuple[str, str, dict[str, str]]] = {
    "webm without a length": ("webm", "webm", {"live": "1"}),
    "matroska without a length": ("matroska", "matroska", {"live": "1"}),
    "mp3 without a header": ("mp3", "mp3", {"write_xing": "0"}),
    "fragmented mp4": ("m4a", "mp4", FRAGMENTS),
    "fragmented mp4 without an index": (
        "m4a",
        "mp4",
        {**FRAGMENTS, "movflags": FRAGMENTS["movflags"] + "+skip_trailer"},
    ),
    "mp3 in matroska": ("mp3", "matroska", {}),
    "flac in matroska": ("flac", "matroska", {}),
    "flac in ogg": ("flac", "ogg", {}),
}
ALL = (*KINDS, *REMUXED)
# Their header states how long they are.
STATING = (
    *("wav", "wav 24 bit", "w64", "aiff", "caf", "mp3", "m4a", "flac", "webm", "matroska"),
    *("matroska ac3", "mp3 in matroska", "wma"),
)


@functools.cache
def recording(kind: str) -> bytes:
    if kind in KINDS:
        return recordings.encode(recordings.speech(SECONDS), **KINDS[kind])
    source, container, options = REMUXED[kind]
    return recordings.remuxed(recording(source), container=container, options=options)


def reasons(content: bytes) -> set[str]:
    """The reasons of warnings, or that of the refusal."""
    try:
        return {warning.reason for warning in decoded(content).warnings}
    except RefusedError as refused:
        return {refused.reason}


@pytest.mark.parametrize("kind", ALL)
def test_a_whole_recording_has_no_warning(kind: str) -> None:
    done = decoded(recording(kind))
    assert not done.warnings
    assert not done.damaged_packets


@pytest.mark.parametrize("share", [0.47, 0.95])
@pytest.mark.parametrize("kind", ALL)
def test_a_recording_that_breaks_off_is_noticed(kind: str, share: float) -> None:
    content = recording(kind)
    found = reasons(content[: round(share * len(content))])
    assert found & {"AUDIO_CORRUPT", "TRUNCATED"}
    if kind in STATING and share < 0.85:
        assert found == {"AUDIO_CORRUPT"}


@pytest.mark.parametrize("kind", ALL)
def test_a_piece_cut_out_of_the_middle_is_noticed(kind: str) -> None:
    content, begin = recording(kind), 0.4
    cut = content[: round(begin * len(content))] + content[round((begin + 1 / 3) * len(content)) :]
    assert reasons(cut) & {"AUDIO_CORRUPT", "GAP", "DAMAGED", "TRUNCATED"}


# An MP4 that lacks its index, at the end, has no length to state.
@pytest.mark.parametrize("kind", sorted({*STATING} - {"m4a"}))
def test_the_refusal_says_what_is_missing(kind: str) -> None:
    content = recording(kind)
    with pytest.raises(RefusedError, match=r"breaks off after (9\.|10\.).* of the 20\.[01] s"):
        decoded(content[: len(content) // 2])


def test_a_track_that_ends_before_the_picture_is_whole() -> None:
    short = recordings.encode(recordings.speech(1.2), **KINDS["matroska"])
    film = recordings.remuxed(short, container="matroska", video=True)
    assert not decoded(film).warnings


@pytest.mark.parametrize("container", ["matroska", "mp4"])
def test_a_film_that_breaks_off_is_noticed(container: str) -> None:
    film = recordings.remuxed(recording("m4a"), container=container, video=True)
    assert reasons(film[: len(film) // 2]) == {"AUDIO_CORRUPT"}


@pytest.mark.parametrize("kind", ["mp3", "mp3 without a header"])
def test_tags_around_an_mp3_are_no_damage(kind: str) -> None:
    tag = b"ID3\x04\x00\x00\x00\x00\x08\x00" + bytes(1024)
    after = b"TAG" + bytes(125)
    assert not decoded(tag + recording(kind) + after).warnings


def test_a_streamed_wav_is_whole() -> None:
    content = bytearray(recording("wav"))
    content[4:8] = content[74:78] = b"\xff\xff\xff\xff"
    assert not decoded(bytes(content)).warnings
