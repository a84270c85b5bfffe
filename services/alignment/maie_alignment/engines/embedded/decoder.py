"""One decoder of the pocketsphinx library, which aligns known words."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pocketsphinx

from maie_alignment.engine import SAMPLE_RATE
from maie_alignment.engines.embedded.fillers import FILLERS, SpokenFiller, fillers_of, paths
from maie_alignment.engines.embedded.letters import letter_sounds, pronounce

ACOUSTIC_MODEL = "en-us"
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
    DICTIONARY,
)
# A frame is a window of 25.6 ms, and the next one begins 10 ms later.
FRAMES_PER_SECOND = 100
WINDOW_SECONDS = 0.0256
# Sentence marks, silence and noises, not words: <s>, <sil>, [SPEECH].
FILLER_MARKS = ("<", "[", "++")
# The library's own beams lose the text where a reader departs from it; the search is along one
# line of words, so that wide ones cost little.
BEAM = 1e-200
# A search along many ways; wider beams find the same and cost three times as much.
FILLER_BEAM = 1e-60
# The dictionary cannot forget a word, so the decoder is made anew, in a tenth of a second.
MAX_GUESSED_WORDS = 2000


class SpokenPhone(NamedTuple):
    """A phone: its name, its first frame, its frames, and its log likelihood less the best one."""

    name: str
    start: int
    frames: int
    score: int


class SpokenWord(NamedTuple):
    """A word as it was found: whether the dictionary has it, and its phones."""

    known: bool
    phones: list[SpokenPhone]


class AlignmentFailedError(Exception):
    """The words do not fit into the audio."""


def packaged_model() -> Path:
    """The directory of the model inside pocketsphinx's wheel."""
    return Path(pocketsphinx.get_model_path(), "en-us")


def library_version() -> str:
    """The library and its version."""
    return f"pocketsphinx {version('pocketsphinx')}"


def boundary(frame: int) -> float:
    """The time between the middles of a frame and of the one before it, in seconds."""
    return max(0.0, (frame - 0.5) / FRAMES_PER_SECOND + WINDOW_SECONDS / 2)


class WordAligner:
    """Aligns utterances independently of each other.

    Args:
        model: The model's directory.
        beam: How much less likely than the best path one may be that is followed.

    Raises:
        RuntimeError: The model is damaged.
    """

    def __init__(self, model: Path, beam: float = BEAM) -> None:
        self._model = model
        self._beam = beam
        self._guessed: set[str] = set()
        self._decoder = self._load()

    def align(self, pcm: bytes, words: Sequence[str]) -> list[SpokenWord]:
        """Finds words in an utterance. Holds the GIL.

        Args:
            pcm: 16-bit samples at 16 kHz in the machine's byte order.
            words: The words, of the letters a to z and the apostrophe.

        Returns:
            The words, in order.

        Raises:
            AlignmentFailedError: The audio is too short for the words, or too unlike them.
        """
        self._learn_all(pcm, words)
        try:
            self._decoder.set_align_text(" ".join(words))
            self._run(pcm)
            if self._decoder.hyp() is None:
                raise AlignmentFailedError
            # The second pass keeps the words' frames and finds their phones.
            self._decoder.set_alignment()
            self._run(pcm)
            found = [
                [SpokenPhone(each.name, each.start, each.duration, each.score) for each in word]
                for word in self._decoder.get_alignment()
                if not word.name.startswith(FILLER_MARKS)
            ]
        except RuntimeError as error:
            raise AlignmentFailedError from error
        if len(found) != len(words):
            raise AlignmentFailedError
        return [
            SpokenWord(known=word not in self._guessed, phones=phones)
            for word, phones in zip(words, found, strict=True)
        ]

    def fillers(self, pcm: bytes, words: Sequence[str]) -> list[SpokenFiller]:
        """Finds fillers between words. Holds the GIL.

        Args:
            pcm: As of `align`.
            words: The words that are spoken in any case.

        Raises:
            AlignmentFailedError: The words do not fit.
        """
        self._learn_all(pcm, [*words, *FILLERS])
        try:
            grammar = self._decoder.create_fsg("fillers", 0, len(words), paths(words))
            self._decoder.add_fsg("fillers", grammar)
            self._decoder.activate_search("fillers")
            self._run(pcm)
            if self._decoder.hyp() is None:
                raise AlignmentFailedError
            said = [each.word for each in self._decoder.seg()]
        except RuntimeError as error:
            raise AlignmentFailedError from error
        return fillers_of(words, said)

    def _learn_all(self, pcm: bytes, words: Sequence[str]) -> None:
        if not pcm:
            raise AlignmentFailedError
        if len(self._guessed) > MAX_GUESSED_WORDS:
            self._guessed.clear()
            self._decoder = self._load()
        for word in words:
            self._learn(word)

    def _load(self) -> pocketsphinx.Decoder:
        return pocketsphinx.Decoder(
            hmm=str(self._model / ACOUSTIC_MODEL),
            dict=str(self._model / DICTIONARY),
            lm=None,
            samprate=SAMPLE_RATE,
            beam=self._beam,
            pbeam=self._beam,
            wbeam=self._beam,
            # The best path through the lattice has words that are too short for their phones.
            bestpath=False,
            loglevel="FATAL",
        )

    def _learn(self, word: str) -> None:
        if word in self._guessed or self._decoder.lookup_word(word) is not None:
            return
        phones = pronounce(word, letter_sounds())
        if not phones:
            # No letter of it has a sound, so it is spelt.
            named = (self._decoder.lookup_word(letter) for letter in word)
            phones = [phone for name in named if name for phone in name.split()]
        self._decoder.add_word(word, " ".join(phones), True)
        self._guessed.add(word)

    def _run(self, pcm: bytes) -> None:
        # Resets the noise estimate of the last utterance.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        # Only a full utterance is normalised over its own length.
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
