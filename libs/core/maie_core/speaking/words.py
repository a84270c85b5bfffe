"""The speaker of each word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from maie.common.v1 import types_pb2 as common
from maie_core.durations import seconds
from maie_core.speaking.turns import Speaking, Turns


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


def label_segment(segment: common.Segment, turns: Turns) -> None:
    """Gives a segment and its words their speakers, where anybody speaks at all.

    A segment with words has the speaker of the most of them, the first of these where several have
    as many.

    Args:
        segment: The segment; changed in place.
        turns: The turns on its channel.
    """
    if segment.words:
        label_words(segment.words, turns)
        if segment.words[0].HasField("speaker"):
            said = Counter(word.speaker for word in segment.words)
            segment.speaker = said.most_common(1)[0][0]
            segment.overlapped = any(word.overlapped for word in segment.words)
        return
    start, end = seconds(segment.start_offset), seconds(segment.end_offset)
    speaking = turns.during(start, end)
    if speaker := speaking.speaker or turns.nearest(start, end):
        segment.speaker, segment.overlapped = speaker, speaking.overlapped


def _nearest(words: Sequence[common.Word], turns: Turns) -> str:
    return turns.nearest(seconds(words[0].start_offset), seconds(words[-1].end_offset))
