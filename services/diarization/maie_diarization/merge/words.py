"""The speaker of each word."""

from __future__ import annotations

from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie_core.durations import seconds
from maie_diarization.merge.turns import Speaking, Turns


def label_words(words: Sequence[common.Word], turns: Turns) -> None:
    """Gives each word of a segment its speaker; none stays without, if anybody speaks at all.

    A word has the speaker who speaks most in it, or else within half a second of it, or else that
    of the word before it. Punctuation that stands by itself is the word's before it.

    Args:
        words: The words, in order; changed in place.
        turns: The turns on their channel.
    """
    found: list[Speaking | None] = []
    before = ""
    for word in words:
        speaking = None
        if any(letter.isalnum() for letter in word.word):
            speaking = turns.during(seconds(word.start_offset), seconds(word.end_offset), before)
            before = speaking.speaker or before
        found.append(speaking)
    first = next((each.speaker for each in found if each and each.speaker), "")
    last = first or _nearest(words, turns)
    for word, speaking in zip(words, found, strict=True):
        last = speaking.speaker if speaking and speaking.speaker else last
        if last:
            word.speaker = last
            word.overlapped = bool(speaking and speaking.overlapped)


def _nearest(words: Sequence[common.Word], turns: Turns) -> str:
    return turns.nearest(seconds(words[0].start_offset), seconds(words[-1].end_offset))
