"""What a CTC model's columns mean, and words in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from maie_alignment.engines.ctc.phones import IPA, Pronunciations
from maie_alignment.engines.ctc.trellis import Levels
from maie_alignment.engines.english import spelling
from maie_core.errors import StageError
from maie_core.models import model_corrupt

# A model that has this writes sounds and not letters.
_SCHWA: Final = "ə"
_GAPS: Final = ("|", "<wb>", " ", "<sil>", "SIL", "h#")
_HAMA_SPECIAL: Final = ("<wb>", "<blank>")
# Nothing is less likely than this for a frame; models in half precision say minus infinity.
LOWEST: Final = -20.0
GAP: Final = 0
WILDCARD: Final = 1


@dataclass(kw_only=True, frozen=True, slots=True)
class Symbol:
    """A letter or a phone of a word.

    Attributes:
        name: The letter, or the phone by ARPAbet.
        columns: The model's columns for it; none for what the model does not know, which may be
            any sound.
    """

    name: str
    columns: tuple[int, ...]


@dataclass(kw_only=True, frozen=True, slots=True)
class Spelling:
    """A word as a model takes it.

    Attributes:
        word: The word, as it was given.
        symbols: Its letters or phones.
        known: Whether it is known how it is spoken.
    """

    word: str
    symbols: tuple[Symbol, ...]
    known: bool


class Vocabulary:
    """A model's columns.

    Args:
        columns: The column of each token.
        blank: The column of CTC's blank.
        pronunciations: How words are spoken, for models of phones.

    Attributes:
        size: The number of columns.
        has_phones: Whether they are sounds, and not letters.
    """

    def __init__(
        self, columns: Mapping[str, int], blank: int, pronunciations: Pronunciations
    ) -> None:
        self._columns = columns
        self.size = len(columns)
        self._gaps = [blank, *(columns[each] for each in _GAPS if each in columns)]
        self.has_phones = _SCHWA in columns
        self._pronunciations = pronunciations
        self._phones = {
            name: tuple(columns[each] for each in signs if each in columns)
            for name, signs in IPA.items()
        }

    @property
    def missing(self) -> list[str]:
        """The sounds of English that a model of phones does not have."""
        return [name for name, found in self._phones.items() if self.has_phones and not found]

    def spell(self, word: str) -> Spelling | None:
        """A word in the model's columns; None where it has none of its letters or sounds."""
        if self.has_phones:
            plain = spelling(word)
            phones = self._pronunciations.phones(plain) if plain else []
            symbols = tuple(Symbol(name=each, columns=self._phones[each]) for each in phones)
            known = self._pronunciations.known(plain)
        else:
            symbols = tuple(
                Symbol(name=each, columns=self._letter(each))
                for each in word
                if each.isalpha() or self._letter(each)
            )
            known = all(each.columns for each in symbols)
        if not any(each.columns for each in symbols):
            return None
        return Spelling(word=word, symbols=symbols, known=known)

    def levels(self, scores: Levels, symbols: Sequence[Symbol]) -> tuple[Levels, list[int]]:
        """What a model says of the symbols that occur.

        Args:
            scores: Log probabilities, of shape (frames, columns).
            symbols: The symbols.

        Returns:
            The same by gap, wildcard and symbol, and the column of each symbol.
        """
        scores = np.maximum(scores, LOWEST)
        others = np.delete(scores, self._gaps, axis=1)
        found = [_together(scores, self._gaps), others.max(axis=1)]
        places: dict[tuple[int, ...], int] = {(): WILDCARD}
        for each in symbols:
            if each.columns not in places:
                places[each.columns] = len(found)
                found.append(_together(scores, each.columns))
        return np.stack(found, axis=1), [places[each.columns] for each in symbols]

    def _letter(self, letter: str) -> tuple[int, ...]:
        for form in (letter, letter.upper(), spelling(letter), spelling(letter).upper()):
            if form in self._columns and form not in _GAPS:
                return (self._columns[form],)
        return ()


def read_vocabulary(path: Path, blank: str, pronunciations: Pronunciations) -> Vocabulary:
    """Reads the file `vocab.json` of transformers, or that of hama.

    Args:
        path: The file.
        blank: The token that is CTC's blank in a file of transformers.
        pronunciations: How words are spoken.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _unlike(path, "it is no JSON") from error
    tokens = _tokens(path, found)
    blank = _HAMA_SPECIAL[1] if "decoder" in found else blank
    if blank not in tokens:
        raise _unlike(path, f"it lacks the blank {blank!r}")
    vocabulary = Vocabulary(tokens, tokens[blank], pronunciations)
    if missing := vocabulary.missing:
        raise _unlike(path, f"it has no symbol for {', '.join(missing)}")
    return vocabulary


def _tokens(path: Path, found: Any) -> dict[str, int]:
    if isinstance(found, dict) and isinstance(found.get("decoder"), list):
        names = [*found["decoder"], *_HAMA_SPECIAL]
        found = {name: number for number, name in enumerate(names)}
    if not isinstance(found, dict) or not all(type(each) is int for each in found.values()):
        raise _unlike(path, "it has no number for each token")
    if sorted(found.values()) != list(range(len(found))):
        raise _unlike(path, "its numbers are not 0, 1, 2, each once")
    return found


def _together(scores: Levels, chosen: Sequence[int]) -> NDArray[np.float32]:
    """The log probability of any of some columns."""
    if len(chosen) == 1:
        return scores[:, chosen[0]]
    total: NDArray[np.float32] = np.logaddexp.reduce(scores[:, list(chosen)], axis=1)
    return total


def _unlike(path: Path, why: str) -> StageError:
    return model_corrupt(f"{path} is no vocabulary of a CTC model: {why}; fetch it again.")
