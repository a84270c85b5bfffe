"""Real readings whose words are known."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import av
import numpy as np

from maie_alignment.engine import Samples
from maie_alignment.reading.compare import HeardWord

ROOT = Path(__file__).parents[2]
LIBRIVOX = ROOT / "tests/data/librivox"
DASHWOOD = LIBRIVOX / "sense_and_sensibility_01_austen_64kb-0870.wav"
DASHWOOD_TEXT = (
    "And Mister John Dashwood had then leisure to consider how much there might be prudently in "
    "his power to do for them."
)
AMIABLE = LIBRIVOX / "sense_and_sensibility_01_austen_64kb-0920.flac"
AMIABLE_TEXT = (
    "Had he married a more amiable woman, he might have been made still more respectable than he "
    "was;"
)


def read_audio(path: Path) -> Samples:
    """The samples of a file that is 16 kHz mono already."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)[0].astype(np.int16)


def words_of(text: str) -> list[str]:
    """The words of a text without punctuation and casing."""
    return text.lower().replace(",", "").replace(".", "").replace(";", "").split()


def heard() -> list[HeardWord]:
    """What is said, with the times of another recogniser."""
    sentences = json.loads((ROOT / "tests/data/readings/sentences.json").read_text("utf-8"))
    ends = next(each["word_ends"] for each in sentences if AMIABLE.name in each["file"])
    edges = itertools.pairwise([0.0, *ends])
    return [
        HeardWord(text=word, start=start, end=end)
        for word, (start, end) in zip(words_of(AMIABLE_TEXT), edges, strict=True)
    ]
