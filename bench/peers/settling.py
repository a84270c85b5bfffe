"""How soon the text of a sentence is settled, for every product alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import jiwer

from bench.bare import words_of
from bench.live_load import Event, Heard
from bench.live_measures import word_error
from bench.live_streams import Stream
from bench.readings import SAMPLE_RATE

Words = Sequence[str]


@dataclass(kw_only=True, slots=True)
class Settling:
    """What was measured of all streams.

    Attributes:
        seconds: For each sentence, from the last loud 10 ms of it until the text that the product
            calls settled holds its last word, and stays as it is up to there.
        missing: Sentences of which no word is settled.
        error: Wrong, missing and additional words of the settled text, 0 to 1.
    """

    seconds: list[float] = field(default_factory=list)
    missing: int = 0
    error: float = 0.0


def settling(heard: Sequence[Heard], spoken: Sequence[Stream]) -> Settling:
    """Compares the settled text of streams with what was said."""
    found = Settling()
    texts = []
    for stream, said in zip(heard, spoken, strict=True):
        shown = [(event.at, words_of(event.stable)) for event in stream.of("settled")]
        texts.append(shown[-1][1] if shown else [])
        _add(found, shown, said)
    found.error = word_error([said.text for said in spoken], [" ".join(text) for text in texts])
    return found


def finals_as_settled(heard: Heard) -> Heard:
    """The finals of a stream of maie, joined, each time that one came."""
    finals = heard.of("final")
    joined = accumulate((final.stable for final in finals), lambda text, more: f"{text} {more}")
    events = [
        Event(at=final.at, kind="settled", stable=text)
        for final, text in zip(finals, joined, strict=True)
    ]
    return Heard(error=heard.error, late=heard.late, events=events)


def _add(found: Settling, shown: Sequence[tuple[float, Words]], said: Stream) -> None:
    last = shown[-1][1] if shown else []
    needed = _words_needed([words_of(each.text) for each in said.sentences], last)
    for sentence, count in zip(said.sentences, needed, strict=True):
        if count is None:
            found.missing += 1
        else:
            found.seconds.append(_settled_at(shown, last[:count]) - sentence.end / SAMPLE_RATE)


def _words_needed(sentences: Sequence[Words], text: Words) -> list[int | None]:
    """How many words of a text hold each sentence's last word that is in it."""
    places: dict[int, int] = {}  # of words that are in both
    if text:
        reference = " ".join(word for sentence in sentences for word in sentence)
        for part in jiwer.process_words(reference, " ".join(text)).alignments[0]:
            if part.type in ("equal", "substitute"):
                length = part.ref_end_idx - part.ref_start_idx
                for step in range(length):
                    places[part.ref_start_idx + step] = part.hyp_start_idx + step
    needed: list[int | None] = []
    begin = 0
    for sentence in sentences:
        own = [places[word] for word in range(begin, begin + len(sentence)) if word in places]
        needed.append(max(own) + 1 if own else None)
        begin += len(sentence)
    return needed


def _settled_at(shown: Sequence[tuple[float, Words]], begin: Words) -> float:
    """From when on all texts begin with these words."""
    at = shown[-1][0]
    for when, words in reversed(shown):
        if words[: len(begin)] != begin:
            break
        at = when
    return at
