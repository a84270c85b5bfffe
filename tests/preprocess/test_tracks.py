"""The right track of a file with several, and which others there are."""

from __future__ import annotations

import numpy as np
import pytest

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_core.errors import StageError
from maie_runtime.blobs import Blobs
from tests.preprocess import recordings
from tests.preprocess.conftest import Preprocess
from tests.preprocess.recordings import Track

pytestmark = pytest.mark.unit

SPOKEN = recordings.speech(6)
SILENT = recordings.silence(6)


def speech(result: pb.PreprocessResult) -> bool:
    return result.quality.vad_coverage > 0.3


def read(result: pb.PreprocessResult) -> list[int]:
    return [track.track for track in result.source.tracks if track.read]


def unknown(content: bytes, tag: bytes = b"apac") -> bytes:
    """The same MOV file, but with a tag in its first track that nobody knows."""
    assert content.count(b"alac") >= 2
    # The sample entry alone; what it holds keeps its name.
    return content.replace(b"alac", tag, 1)


@pytest.mark.parametrize("container", ["matroska", "mov"])
@pytest.mark.parametrize("default", [1, 2, 3])
async def test_the_track_flagged_default_is_read(
    default: int, container: str, preprocess: Preprocess
) -> None:
    codec = {"matroska": "libopus", "mov": "aac"}[container]
    wanted = [
        Track(sound=SPOKEN if number == default else SILENT, default=number == default, codec=codec)
        for number in (1, 2, 3)
    ]
    result = await preprocess(recordings.tracks(*wanted, container=container))
    assert speech(result)
    assert read(result) == [default]
    assert [track.default for track in result.source.tracks] == [n == default for n in (1, 2, 3)]


async def test_the_first_is_read_where_none_is_flagged(preprocess: Preprocess) -> None:
    # MPEG-TS and the like know no default; Matroska may flag none.
    content = recordings.tracks(Track(sound=SPOKEN), Track(sound=SILENT))
    result = await preprocess(content)
    assert speech(result)
    assert read(result) == [1]


async def test_other_tracks_are_named_and_warned_of(preprocess: Preprocess) -> None:
    content = recordings.tracks(
        Track(sound=SPOKEN, default=True, language="eng", title="Studio\nmicrophone"),
        Track(sound=SILENT, codec="flac", language="ger", title="x" * 300),
    )
    result = await preprocess(content)
    assert list(result.source.tracks) == [
        pb.AudioTrack(
            track=1,
            codec="opus",
            language="eng",
            title="Studio microphone",
            default=True,
            read=True,
        ),
        pb.AudioTrack(track=2, codec="flac", language="ger", title="x" * 200),
    ]
    (warning,) = result.warnings
    assert warning.reason == "OTHER_TRACKS"
    assert warning.message == (
        "The recording has 2 audio tracks and track 1 was read; ask for track 2 or for all tracks "
        "to read the other one."
    )
    assert warning.metadata == {"tracks": "2", "read": "1", "others": "2"}
    assert not warning.HasField("range")


@pytest.mark.parametrize("track", [1, 2])
async def test_a_track_is_read_that_is_asked_for(track: int, preprocess: Preprocess) -> None:
    content = recordings.tracks(Track(sound=SPOKEN, default=True), Track(sound=SILENT))
    result = await preprocess(content, options=pb.RecordingOptions(track=track))
    assert speech(result) == (track == 1)
    assert read(result) == [track]
    assert {chunk.track for chunk in result.chunks} <= {0}


async def test_all_tracks_are_read_each_by_itself(preprocess: Preprocess, blobs: Blobs) -> None:
    first, second = recordings.speech(20), recordings.speech(75)[-20 * recordings.RATE :]
    content = recordings.tracks(
        Track(sound=first, codec="flac"), Track(sound=SILENT), Track(sound=second, codec="flac")
    )
    result = await preprocess(content, options=pb.RecordingOptions(all_tracks=True))
    assert read(result) == [1, 2, 3]
    assert [chunk.index for chunk in result.chunks] == list(range(len(result.chunks)))
    assert {chunk.track for chunk in result.chunks} == {1, 3}
    assert {chunk.channel for chunk in result.chunks} == {0}
    assert not result.warnings
    for track, sound in ((1, first), (3, second)):
        alone = await preprocess(recordings.tracks(Track(sound=sound, codec="flac")))
        mine = [chunk for chunk in result.chunks if chunk.track == track]
        assert [chunk.speech for chunk in mine] == [chunk.speech for chunk in alone.chunks]
        assert [chunk.audio.sha256 for chunk in mine] == [
            chunk.audio.sha256 for chunk in alone.chunks
        ]


async def test_a_track_that_is_not_there_is_not_found(preprocess: Preprocess) -> None:
    content = recordings.tracks(Track(sound=SPOKEN), Track(sound=SILENT))
    with pytest.raises(StageError, match="2 audio tracks and no track 3") as caught:
        await preprocess(content, options=pb.RecordingOptions(track=3))
    assert caught.value.reason == "TRACK_NOT_FOUND"
    assert caught.value.field == "recording_options.track"


async def test_a_track_of_an_unknown_codec_is_passed_over(preprocess: Preprocess) -> None:
    content = unknown(
        recordings.tracks(
            Track(sound=SILENT, codec="alac", default=True),
            Track(sound=SPOKEN, codec="aac"),
            container="mov",
        )
    )
    result = await preprocess(content)
    assert speech(result)
    assert [track.codec for track in result.source.tracks] == ["apac", "aac"]
    assert read(result) == [2]
    with pytest.raises(StageError, match="codec 'apac' is not read") as caught:
        await preprocess(content, options=pb.RecordingOptions(track=1))
    assert caught.value.reason == "UNSUPPORTED_FORMAT"
    everything = await preprocess(content, options=pb.RecordingOptions(all_tracks=True))
    assert read(everything) == [2]
    assert [warning.reason for warning in everything.warnings] == ["OTHER_TRACKS"]
    assert "'apac'" in everything.warnings[0].message


async def test_the_tag_is_named_where_no_track_can_be_read(preprocess: Preprocess) -> None:
    content = unknown(recordings.tracks(Track(sound=SPOKEN, codec="alac"), container="mov"))
    with pytest.raises(StageError, match="codec 'apac' is not read") as caught:
        await preprocess(content)
    assert caught.value.reason == "UNSUPPORTED_FORMAT"


async def test_a_picture_is_no_track(preprocess: Preprocess) -> None:
    content = recordings.encode(SPOKEN, container="mp4", codec="aac", video=True)
    result = await preprocess(content)
    assert [track.track for track in result.source.tracks] == [1]
    assert not result.warnings


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (pb.RecordingOptions(track=-1), "recording_options.track"),
        (pb.RecordingOptions(track=1, all_tracks=True), "recording_options.track"),
        (pb.RecordingOptions(channels=7), "recording_options.channels"),  # type: ignore[arg-type]
    ],
)
async def test_a_choice_that_nobody_can_mean_is_refused(
    options: pb.RecordingOptions, field: str, preprocess: Preprocess
) -> None:
    with pytest.raises(StageError) as caught:
        await preprocess(recordings.wav(np.zeros(16_000, np.int16)), options=options)
    assert (caught.value.reason, caught.value.field) == ("OPTION_OUT_OF_RANGE", field)
