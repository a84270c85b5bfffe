"""Words that are wrong, and words that are another speaker's, as people read them.

Edits count as jiwer counts them: words wrong, missing or too many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import jiwer


@dataclass(kw_only=True, frozen=True, slots=True)
class SpeakersWord:
    """A word, and who says it."""

    text: str
    speaker: str


@dataclass(kw_only=True, frozen=True, slots=True)
class WordErrors:
    """What is wrong with a transcript that says who spoke; each a share of the words said.

    Attributes:
        words: Words wrong, missing or too many, whoever says them.
        by_speaker: The same of each speaker's words by themselves (cpWER): a word that another
            speaker is given is missing here and too many there. The found speakers stand for
            those of the truth with whom the fewest words are wrong.
        misplaced: Of the words that are right, those of another speaker, 0 to 1.
    """

    words: float
    by_speaker: float
    misplaced: float


def word_errors(said: Sequence[SpeakersWord], found: Sequence[SpeakersWord]) -> WordErrors:
    """Compares a transcript with what was said.

    Args:
        said: What was said, in the order of time; at least one word, and few speakers.
        found: The transcript, in its order.
    """
    speaks, hears = _by_speaker(said), _by_speaker(found)
    stands_for, edits = _fewest_edits(speaks, hears)
    right = _right(said, found)
    misplaced = sum(stands_for.get(each.speaker) != word.speaker for word, each in right)
    return WordErrors(
        words=_edits([each.text for each in said], [each.text for each in found]) / len(said),
        by_speaker=edits / len(said),
        misplaced=misplaced / len(right) if right else 0.0,
    )


def _by_speaker(words: Sequence[SpeakersWord]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for word in words:
        texts.setdefault(word.speaker, []).append(word.text)
    return texts


def _fewest_edits(
    speaks: Mapping[str, list[str]], hears: Mapping[str, list[str]]
) -> tuple[dict[str, str], int]:
    """For found speakers whom of the truth they stand for, and the edits that are then needed.

    Whom nobody stands for has all words missing; who stands for nobody has all words too many.
    """
    edits = {(one, other): _edits(speaks[one], hears[other]) for one in speaks for other in hears}
    least = sum(map(len, speaks.values())) + sum(map(len, hears.values())) + 1
    chosen: dict[str, str] = {}
    for order in permutations([*hears, *(None for _ in speaks)], len(speaks)):
        pairs = dict(zip(speaks, order, strict=True))
        needed = sum(
            len(speaks[one]) if other is None else edits[one, other] for one, other in pairs.items()
        ) + sum(len(text) for other, text in hears.items() if other not in order)
        if needed < least:
            least = needed
            chosen = {other: one for one, other in pairs.items() if other is not None}
    return chosen, least


def _edits(said: Sequence[str], found: Sequence[str]) -> int:
    if not found:
        return len(said)
    counts = jiwer.process_words(" ".join(said), " ".join(found))
    return counts.substitutions + counts.deletions + counts.insertions


def _right(
    said: Sequence[SpeakersWord], found: Sequence[SpeakersWord]
) -> list[tuple[SpeakersWord, SpeakersWord]]:
    """The words that were said and are in the transcript, and there."""
    if not found:
        return []
    texts, hears = (" ".join(word.text for word in words) for words in (said, found))
    return [
        (said[part.ref_start_idx + place], found[part.hyp_start_idx + place])
        for part in jiwer.process_words(texts, hears).alignments[0]
        if part.type == "equal"
        for place in range(part.ref_end_idx - part.ref_start_idx)
    ]
