"""Makes the contract's reading of what was found."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from maie.alignment.v1 import alignment_pb2 as alignment
from maie_alignment.engine import AlignedWord
from maie_alignment.reading.checks import FoundUnit
from maie_alignment.text import TextWord
from maie_core.durations import duration, seconds, time_range

# Shorter gaps are the closures of consonants. A pause without punctuation that is as long as a
# listener notes is a hesitation.
PAUSE_SECONDS = 0.2
HESITATION_SECONDS = 0.5
# Outcomes of words that are spoken, from the worst to the best.
_WORST = (
    alignment.WORD_OUTCOME_WRONG,
    alignment.WORD_OUTCOME_SKIPPED,
    alignment.WORD_OUTCOME_NOT_REACHED,
    alignment.WORD_OUTCOME_CORRECT,
)
_FIGURES = {
    alignment.WORD_OUTCOME_CORRECT: "correct",
    alignment.WORD_OUTCOME_WRONG: "wrong",
    alignment.WORD_OUTCOME_SKIPPED: "skipped",
    alignment.WORD_OUTCOME_INSERTED: "inserted",
    alignment.WORD_OUTCOME_REPEATED: "repeated",
    alignment.WORD_OUTCOME_FILLER: "fillers",
}
_IN_TEXT = ("correct", "wrong", "skipped")


def reading_of(text: Sequence[TextWord], found: Sequence[FoundUnit]) -> alignment.Reading:
    """The reading, without engines.

    Args:
        text: The text.
        found: The units of the whole recording, with times from its start.
    """
    made = alignment.Reading()
    for place, group in itertools.groupby(found, lambda each: each.unit.word):
        if place < 0:
            made.words.extend(_word([each], None) for each in group)
        else:
            made.words.append(_word(list(group), text[place]))
    _add_pauses(made)
    _add_figures(made)
    return made


def _word(units: Sequence[FoundUnit], written: TextWord | None) -> alignment.ReadWord:
    """One word, which may be several spoken ones."""
    first = units[0].unit
    outcomes = {each.unit.outcome for each in units}
    outcome = next((each for each in _WORST if each in outcomes), first.outcome)
    word = alignment.ReadWord(text=written.text if written else first.heard, outcome=outcome)
    if written:
        word.text_offset = written.offset
        word.ends_phrase = written.ends_phrase
    if outcome == alignment.WORD_OUTCOME_WRONG:
        word.heard = " ".join(each.unit.heard or each.unit.expected for each in units)
    aligned = [each.word for each in units if each.word]
    heard = [each.unit for each in units if each.unit.heard]
    if aligned:
        word.range.CopyFrom(time_range(aligned[0].start, aligned[-1].end))
        word.score = min(each.score for each in aligned)
        word.guessed = not all(each.in_dictionary for each in aligned)
        for each in aligned:
            _add_parts(word, each)
    elif heard:
        # The engine could not align it; speech recognition says about when it was.
        word.range.CopyFrom(time_range(heard[0].start, max(heard[0].start, heard[-1].end)))
    return word


def _add_parts(word: alignment.ReadWord, aligned: AlignedWord) -> None:
    for phone in aligned.phones:
        span = time_range(phone.start, phone.end)
        word.phones.add(symbol=phone.symbol, range=span, score=phone.score)
    for letter in aligned.letters:
        word.letters.add(text=letter.text, range=time_range(letter.start, letter.end))


def _add_pauses(made: alignment.Reading) -> None:
    spoken = [word for word in made.words if word.HasField("range")]
    for before, after in itertools.pairwise(spoken):
        start, end = seconds(before.range.end_offset), seconds(after.range.start_offset)
        if end - start >= PAUSE_SECONDS:
            long = end - start >= HESITATION_SECONDS
            hesitation = long and not before.ends_phrase
            made.pauses.add(range=time_range(start, end), hesitation=hesitation)


def _add_figures(made: alignment.Reading) -> None:
    figures = made.figures
    for word in made.words:
        if name := _FIGURES.get(word.outcome):
            setattr(figures, name, getattr(figures, name) + 1)
    figures.words = sum(getattr(figures, name) for name in _IN_TEXT)
    figures.hesitations = sum(pause.hesitation for pause in made.pauses)
    spans = [word.range for word in made.words if word.HasField("range")]
    if spans:
        length = max(seconds(span.end_offset) for span in spans) - min(
            seconds(span.start_offset) for span in spans
        )
        figures.duration.CopyFrom(duration(length))
        if length > 0:
            figures.words_correct_per_minute = round(figures.correct * 60 / length, 1)
