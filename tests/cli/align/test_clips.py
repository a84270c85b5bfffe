"""Phrases, and the clips that are cut out of a recording."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import tempfile
import wave
from pathlib import Path

import av
import numpy as np
import obstore
import pytest
from obstore.store import LocalStore

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_cli.clips.cutting import ClipError, cut
from maie_cli.clips.saving import PADDING_SECONDS, save_clips
from maie_formats.readings.phrases import Phrase, phrases
from tests.formats.readings import reading, word

pytestmark = pytest.mark.unit

RATE = 8000


def recording(path: Path, seconds: float = 6.0, channels: int = 1) -> Path:
    """A recording in which each sample says where it is: its value counts 10 ms."""
    ramp = (np.arange(round(seconds * RATE)) // (RATE // 100)).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.repeat(ramp, channels).tobytes())
    return path


def samples_of(content: bytes) -> tuple[np.ndarray, int]:
    """The samples of a file, with a column for each channel, and their rate."""
    with av.open(io.BytesIO(content), "r") as container:
        frames = list(container.decode(audio=0))
    made = [frame.to_ndarray().reshape(-1, len(frame.layout.channels)) for frame in frames]
    return np.concatenate(made), frames[0].sample_rate


def phrase(start: float, end: float, text: str = "so") -> Phrase:
    return Phrase(start=start, end=end, text=text, score=0.5, exact=True)


def test_phrases_end_at_punctuation_with_a_gap_and_at_long_pauses():
    found = phrases(reading())
    assert [each.text for each in found] == [
        *("um Once", "up on up", 'b>time</b "old" he said'),
    ]
    assert [(each.start, each.end) for each in found] == [(0.2, 1.0), (1.2, 1.8), (2.5, 4.0)]
    assert [each.score for each in found] == [None, 0.7, None]
    assert not any(each.exact for each in found)
    assert phrases(alignment.Reading()) == []
    (exact,) = phrases(alignment.Reading(words=[word("so", times=(0, 1), score=1.0)]))
    assert exact.exact


@pytest.mark.parametrize("clip_format", ["wav", "flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_clip_is_the_recording_between_its_edges(tmp_path, clip_format, channels):
    path = recording(tmp_path / "talk.wav", channels=channels)
    spans = [(0.0, 1.0), (1.0, 1.5), (3.21, 5.99)]
    with path.open("rb") as file:
        clips = list(cut(file, spans, clip_format))
    for (start, end), content in zip(spans, clips, strict=True):
        samples, rate = samples_of(content)
        assert (rate, samples.shape) == (RATE, (round((end - start) * RATE), channels))
        # Away from the fades, each sample is where it was.
        inside = samples[RATE // 50 : -RATE // 50, -1]
        first = round(start * RATE) + RATE // 50
        assert np.array_equal(inside, np.arange(first, first + len(inside)) // (RATE // 100))
        # The edges are silent.
        assert abs(samples[-1]).max() <= 0.05 * 100 * end


def test_a_recording_that_is_none_or_too_short_is_refused(tmp_path):
    with pytest.raises(ClipError, match="cannot be decoded"):
        list(cut(io.BytesIO(b"#EXTM3U\nhttp://127.0.0.1:1/a.wav\n"), [(0, 1)], "wav"))
    with recording(tmp_path / "a.wav", 1.0).open("rb") as file:
        made = cut(file, [(0, 1), (2, 3)], "wav")
        assert next(made)
        with pytest.raises(ClipError, match="ends before"):
            next(made)


async def test_clips_are_stored_with_padding_and_lists(tmp_path):
    path = recording(tmp_path / "talk.wav")
    store = LocalStore(tmp_path / "out", mkdir=True)

    async def put(name: str, content: bytes) -> None:
        await obstore.put_async(store, name, content)

    text = "=1+1; rm -rf ../.."
    clips = await save_clips(
        path, [phrase(0.1, 1.0), phrase(1.1, 2.0, text), phrase(5.0, 5.5)], "flac", put, "a/"
    )
    # Half of the gap, all of the padding, and not before the start.
    assert [(round(clip.start, 3), round(clip.end, 3)) for clip in clips] == [
        (0, 1.05),
        (1.05, 2.0 + PADDING_SECONDS),
        (5.0 - PADDING_SECONDS, 5.5 + PADDING_SECONDS),
    ]
    names = ["00001.flac", "00002.flac", "00003.flac"]
    folder = tmp_path / "out/a"
    assert sorted(each.name for each in folder.iterdir()) == [*names, "clips.csv", "clips.jsonl"]
    lines = [json.loads(line) for line in (folder / "clips.jsonl").read_text().splitlines()]
    assert [line["file"] for line in lines] == names
    assert lines[1]["text"] == text
    with (folder / "clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["so", f"'{text}", "so"]
    for line in lines:
        samples, rate = samples_of((folder / line["file"]).read_bytes())
        assert len(samples) / rate == pytest.approx(line["end"] - line["start"], abs=0.001)


@pytest.mark.parametrize("interrupted", [False, True])
async def test_nothing_is_left_of_what_is_given_up(tmp_path, monkeypatch, interrupted):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    stored: list[str] = []
    reached = asyncio.Event()

    async def put(name: str, content: bytes) -> None:
        if stored:
            reached.set()
            if not interrupted:
                raise OSError("full")
            await asyncio.sleep(3600)
        stored.append(name)

    path = recording(tmp_path / "talk.wav")
    saving = asyncio.create_task(
        save_clips(path, [phrase(0, 1), phrase(2, 3), phrase(4, 5)], "wav", put)
    )
    await reached.wait()
    if interrupted:
        saving.cancel()
    with pytest.raises(asyncio.CancelledError if interrupted else OSError):
        await saving
    assert stored == ["00001.wav"]
    assert list((tmp_path / "temporary").iterdir()) == []
