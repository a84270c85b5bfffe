"""One decoder of the pocketsphinx library."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pocketsphinx

from maie_asr.engine import SAMPLE_RATE

ACOUSTIC_MODEL = "en-us"
LANGUAGE_MODEL = "en-us.lm.bin"
DICTIONARY = "cmudict-en-us.dict"
MODEL_FILES = (
    *(
        f"{ACOUSTIC_MODEL}/{name}"
        for name in (
            "feat.params",
            "mdef",
            "means",
            "noisedict",
            "sendump",
            "transition_matrices",
            "variances",
        )
    ),
    LANGUAGE_MODEL,
    DICTIONARY,
)
# Sphinx frames, from which word times come, are 10 ms long.
FRAMES_PER_SECOND = 100
# Sentence marks, silence and noises, not words: <s>, <sil>, [SPEECH], ++UM++.
FILLER_MARKS = ("<", "[", "++")


class DecodedWord(NamedTuple):
    """A word; times in seconds from the utterance's start."""

    text: str
    start: float
    end: float


def packaged_model() -> Path:
    """The directory of the model inside pocketsphinx's wheel."""
    return Path(pocketsphinx.get_model_path(), "en-us")


def library_version() -> str:
    """The library and its version."""
    return f"pocketsphinx {version('pocketsphinx')}"


class UtteranceDecoder:
    """Decodes utterances independently of each other.

    The settings are the library's own. They normalise (CMN) over one whole
    utterance, but track the noise across utterances.

    Args:
        model: The model's directory.

    Raises:
        RuntimeError: The model is damaged.
    """

    def __init__(self, model: Path) -> None:
        self._decoder = pocketsphinx.Decoder(
            hmm=str(model / ACOUSTIC_MODEL),
            lm=str(model / LANGUAGE_MODEL),
            dict=str(model / DICTIONARY),
            samprate=SAMPLE_RATE,
            loglevel="FATAL",
        )

    def decode(self, pcm: bytes) -> list[DecodedWord]:
        """Decodes an utterance. Holds the GIL.

        Args:
            pcm: 16-bit samples at 16 kHz in the machine's byte order.

        Returns:
            The words, in order.
        """
        # Resets the noise estimate of the last utterance, which would move words by a frame or
        # more.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        # Only a full utterance is normalised over its own length.
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        if self._decoder.hyp() is None:
            return []
        return [
            DecodedWord(
                text=_spelling(found.word),
                start=found.start_frame / FRAMES_PER_SECOND,
                end=(found.end_frame + 1) / FRAMES_PER_SECOND,
            )
            for found in self._decoder.seg()
            if not found.word.startswith(FILLER_MARKS)
        ]


def _spelling(entry: str) -> str:
    """The word of a dictionary entry: "to(2)" is another pronunciation of "to"."""
    return entry.partition("(")[0]
