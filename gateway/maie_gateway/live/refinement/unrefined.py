"""The finals of a session that may still be refined. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeAlias

from maie.common.v1 import types_pb2 as common
from maie.enhancement.v1 import enhancement_pb2 as enhancement
from maie.live.v1 import live_pb2 as live

# Of more finals than these the oldest are left to the job, so that a session whose enhancement is
# away takes no memory. It may only grow: a refinement in a log must stay one that may follow.
MOST_UNREFINED = 128
# The most finals of a request, so that none takes long.
MOST_AT_ONCE = 16

Voice: TypeAlias = tuple[int, int]
"""Who speaks: the number of a track, and the channel from 1; 0 where the channels are mixed."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Batch:
    """Finals of one voice and language that are refined together.

    A sentence may begin before them or go on after them. Measured with the engine `rules`: with
    one segment before and one after, the text is as good as that of the whole transcript; without
    the one after, each final ends with a full stop.

    Attributes:
        finals: The finals in their order; at least one.
        before: The refined segment before them; None for the voice's first.
        after: The final after them; None where none came.
    """

    finals: tuple[live.Final, ...]
    before: common.Segment | None = None
    after: live.Final | None = None

    def request(self, generation: common.GenerationOptions | None) -> enhancement.EnhanceRequest:
        """What to ask of an enhancement replica.

        Args:
            generation: How a language model samples; None for its own settings.
        """
        around = [*self.finals, self.after] if self.after is not None else self.finals
        segments = [final.segment for final in around]
        transcript = common.Transcript(
            segments=[self.before, *segments] if self.before is not None else segments,
            language_code=self.finals[0].language_code,
        )
        return enhancement.EnhanceRequest(transcript=transcript, generation=generation)


@dataclass(kw_only=True, frozen=True, slots=True)
class Unrefined:
    """The last finals without a refinement, and the refined text that they follow.

    Attributes:
        finals: The finals, in the order in which they were stored.
        before: The last refined segment of each voice to which more may come.
    """

    finals: tuple[live.Final, ...] = ()
    before: Mapping[Voice, common.Segment] = field(default_factory=dict)

    def with_final(self, final: live.Final) -> Unrefined:
        """With one more final; the oldest is left to the job where there are too many."""
        return Unrefined(finals=(*self.finals, final)[-MOST_UNREFINED:], before=self.before)

    def with_refinement(
        self, refinement: live.Refinement, tracks: Collection[int]
    ) -> Unrefined | None:
        """After a refinement; None where no final waits for it.

        Args:
            refinement: The refinement.
            tracks: The numbers of the tracks that go on.
        """
        final = self.final(refinement.utterance_id)
        if final is None or final.track != refinement.track:
            return None
        refined = common.Segment()
        refined.CopyFrom(final.segment)
        refined.clean_text = refinement.clean_text
        rest = tuple(each for each in self.finals if each is not final)
        return Unrefined(finals=rest, before={**self.before, _voice(refined): refined}).kept(tracks)

    def kept(self, tracks: Collection[int]) -> Unrefined:
        """Without the text of tracks that are over.

        Args:
            tracks: The numbers of the tracks that go on.
        """
        needed = {*tracks, *(final.segment.track for final in self.finals)}
        before = {voice: each for voice, each in self.before.items() if voice[0] in needed}
        return Unrefined(finals=self.finals, before=before)

    def final(self, utterance_id: str) -> live.Final | None:
        """The final of an utterance that waits; None where none does."""
        return next((each for each in self.finals if each.segment.segment_id == utterance_id), None)

    def batch(self, is_due: Callable[[live.Final], bool], left: Collection[str]) -> Batch | None:
        """What to refine next: finals of the voice that waits longest; None where none is due.

        Args:
            is_due: Whether a final waits no longer for the next one of its voice.
            left: The utterances that are not to be refined.
        """
        waiting = [final for final in self.finals if final.segment.segment_id not in left]
        for voice in dict.fromkeys(_voice(final.segment) for final in waiting):
            of_voice = [final for final in waiting if _voice(final.segment) == voice]
            run = _of_one_language(of_voice)
            # No sentence goes on in another language.
            is_over = len(run) < len(of_voice) or is_due(run[-1])
            due = (run if is_over else run[:-1])[:MOST_AT_ONCE]
            if due:
                after = next(iter(run[len(due) :]), None)
                return Batch(finals=tuple(due), before=self.before.get(voice), after=after)
        return None


def _voice(segment: common.Segment) -> Voice:
    return segment.track, segment.channel


def _of_one_language(finals: Sequence[live.Final]) -> list[live.Final]:
    """The first finals, up to one in another language."""
    language = finals[0].language_code
    return list(takewhile(lambda final: final.language_code == language, finals))


def is_refinable(final: live.Final) -> bool:
    """Whether a final may get a refinement: it has text, without punctuation of its engine."""
    return bool(final.segment.text) and not final.punctuated
