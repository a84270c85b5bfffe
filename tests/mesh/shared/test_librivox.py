"""Recordings that we did not make come out as pocketsphinx alone reads them."""

from __future__ import annotations

from pathlib import Path

import pocketsphinx
import pytest

from maie_client import Client
from tests.asr.recordings import read_audio, words_of
from tests.mesh.conftest import ROOT, RunningMesh

pytestmark = pytest.mark.mesh

CLIPS = sorted((ROOT / "tests" / "data" / "librivox").glob("*.wav"))


def read_directly(path: Path) -> str:
    """The clip as pocketsphinx reads it by itself, whole and with its defaults."""
    decoder = pocketsphinx.Decoder(samprate=16000)
    decoder.start_utt()
    decoder.process_raw(read_audio(path).tobytes(), full_utt=True)
    decoder.end_utt()
    return decoder.hyp().hypstr


@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem[-4:])
@pytest.mark.slow
async def test_a_reading_gives_the_words_that_pocketsphinx_gives(
    path: Path, shared_mesh: RunningMesh
) -> None:
    async with Client(shared_mesh.gateway) as client:
        events = [event async for event in client.process(path, features=("raw_transcript",))]
    text = events[-1].finished.job.results.raw_transcript
    assert words_of(text) == words_of(read_directly(path))


def test_there_are_clips() -> None:
    assert len(CLIPS) > 1
