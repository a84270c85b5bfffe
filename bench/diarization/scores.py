"""What a product's turns are worth: errors of one recording, and of many together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.diarization.turns import Turn
from bench.readings import SpokenWord


@dataclass(kw_only=True, frozen=True, slots=True)
class Score:
    """The errors of one recording.

    Attributes:
        speech: Seconds of speech in the truth; where two speak, both count.
        missed: Of them, those in which the product finds nobody.
        false_alarm: Seconds in which it finds somebody and nobody speaks.
        confusion: Seconds in which it finds another speaker.
        collar: The error rate with 0.25 s around each boundary forgiven, as a share of speech.
        jaccard: The Jaccard error rate, 0 to 1: each speaker counts the same.
        speakers: How many the truth has.
        found_speakers: How many the product found.
        wrong_words: The share of words whose speaker is wrong; None where words are not known.
    """

    speech: float
    missed: float
    false_alarm: float
    confusion: float
    collar: float
    jaccard: float
    speakers: int
    found_speakers: int
    wrong_words: float | None = None

    @property
    def error(self) -> float:
        """The strict diarization error rate: no collar, and overlapped speech counts."""
        return (self.missed + self.false_alarm + self.confusion) / self.speech

    @property
    def miscount(self) -> int:
        """Speakers found minus speakers in the truth."""
        return self.found_speakers - self.speakers


@dataclass(kw_only=True, frozen=True, slots=True)
class Together:
    """The errors of several recordings, as shares of their speech.

    Attributes:
        error: The strict diarization error rate.
        missed: Of it, missed speech.
        false_alarm: Of it, speech where nobody speaks.
        confusion: Of it, wrong speakers.
        collar: The error rate with a collar of 0.25 s, weighted by speech.
        jaccard: The mean Jaccard error rate.
        counted: In how many of the recordings the number of speakers is right.
        miscount: The mean difference of that number, whatever its sign.
        wrong_words: The mean share of words whose speaker is wrong, of the recordings whose
            words are known; None where there is none.
    """

    error: float
    missed: float
    false_alarm: float
    confusion: float
    collar: float
    jaccard: float
    counted: int
    miscount: float
    wrong_words: float | None


def together(scores: Sequence[Score]) -> Together:
    """Sums up recordings; there is at least one."""
    speech = sum(score.speech for score in scores)
    missed = sum(score.missed for score in scores) / speech
    false_alarm = sum(score.false_alarm for score in scores) / speech
    confusion = sum(score.confusion for score in scores) / speech
    words = [score.wrong_words for score in scores if score.wrong_words is not None]
    return Together(
        error=missed + false_alarm + confusion,
        missed=missed,
        false_alarm=false_alarm,
        confusion=confusion,
        collar=sum(score.collar * score.speech for score in scores) / speech,
        jaccard=sum(score.jaccard for score in scores) / len(scores),
        counted=sum(score.miscount == 0 for score in scores),
        miscount=sum(abs(score.miscount) for score in scores) / len(scores),
        wrong_words=sum(words) / len(words) if words else None,
    )


@dataclass(kw_only=True, frozen=True, slots=True)
class LabelledWord:
    """A word with the speaker that it is given to, in seconds."""

    start: float
    end: float
    speaker: str


def labelled(words: Sequence[SpokenWord], found: Sequence[Turn]) -> list[LabelledWord]:
    """Gives each word to the turn that has most of it, or else to the nearest; there is one."""
    return [
        LabelledWord(
            start=word.start,
            end=word.end,
            speaker=max(found, key=lambda turn: _shared(word, turn)).speaker,
        )
        for word in words
    ]


def _shared(word: SpokenWord | LabelledWord, turn: Turn) -> float:
    """How long both last together, in seconds; below 0 how far they are from each other."""
    return min(word.end, turn.end) - max(word.start, turn.start)


def wrong_words(words: Sequence[LabelledWord], truth: Sequence[Turn]) -> float:
    """The share of words whose speaker is wrong, 0 to 1.

    A word belongs to whoever speaks for most of it. The product's names stand for the speakers
    that make the fewest words wrong, one for one. Words where nobody speaks don't count.

    Args:
        words: The product's words.
        truth: Who speaks when.
    """
    pairs = [(word.speaker, _owners(word, truth)) for word in words]
    counted = [(name, owners) for name, owners in pairs if owners]
    if not counted:
        return 0.0
    agreed: dict[str, dict[str, float]] = {}
    for name, owners in counted:
        for owner in owners:
            row = agreed.setdefault(name, {})
            row[owner] = row.get(owner, 0) + 1
    return 1 - _most_agreed(agreed) / len(counted)


def _owners(word: LabelledWord, truth: Sequence[Turn]) -> list[str]:
    """Who speaks for most of a word: several where they overlap it equally long."""
    shares: dict[str, float] = {}
    for turn in truth:
        both = _shared(word, turn)
        if both > 0:
            shares[turn.speaker] = shares.get(turn.speaker, 0.0) + both
    longest = max(shares.values(), default=0.0)
    return [name for name, share in shares.items() if share >= longest - 1e-9]


def _most_agreed(agreed: Mapping[str, Mapping[str, float]]) -> float:
    """The largest sum of a matching of names with speakers, over all sets of speakers taken."""
    bits = {owner: 1 << place for place, owner in enumerate(sorted({*_all(agreed)}))}
    best = {0: 0.0}
    for row in agreed.values():
        after = dict(best)
        for taken, value in best.items():
            for owner, count in row.items():
                if not taken & bits[owner]:
                    key = taken | bits[owner]
                    after[key] = max(after.get(key, 0.0), value + count)
        best = after
    return max(best.values())


def _all(agreed: Mapping[str, Mapping[str, float]]) -> Sequence[str]:
    return [owner for row in agreed.values() for owner in row]
