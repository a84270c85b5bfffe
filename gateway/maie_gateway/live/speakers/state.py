"""The speakers of a session, as its log has them. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import streaming_pb2 as diarization
from maie.live.v1 import live_pb2 as live
from maie.live.v1 import session_pb2 as session

# Of more finals than these the oldest stay without speakers, so that a session without diarization
# takes no memory. It may only grow: labels in a log must stay ones that may follow.
MOST_UNLABELLED = 256


class Lane(NamedTuple):
    """What is recognised by itself.

    Attributes:
        track: The track's number.
        channel: The channel, from 1; 0 for the mix of all.
    """

    track: int
    channel: int


class Voice(NamedTuple):
    """A speaker on a lane.

    Attributes:
        lane: The lane.
        number: The number among those who share it; empty where the lane is the speaker's alone.
    """

    lane: Lane
    number: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class Speakers:
    """Who speaks in a session.

    Attributes:
        voices: Each speaker once, in the order of their names: "S1" is the first one.
        merged: The names that are no more, and whose they are now.
        known: What is known of the voices on lanes that several people share.
        unlabelled: The finals of such lanes whose speakers are not known, in their order.
        engine: What told speakers apart last; None before the first.
    """

    voices: tuple[Voice, ...] = ()
    merged: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[Lane, diarization.KnownSpeakers] = field(default_factory=dict)
    unlabelled: tuple[live.Final, ...] = ()
    engine: common.EngineVersion | None = None

    def name(self, voice: Voice) -> str:
        """What a speaker is called; the next name where nobody has called them anything yet."""
        known = voice in self.voices
        name = f"S{(self.voices.index(voice) if known else len(self.voices)) + 1}"
        return self.merged.get(name, name)

    def waiting(self, lane: Lane) -> list[live.Final]:
        """The finals of a lane that wait for their speakers."""
        return [each for each in self.unlabelled if lane_of(each.segment) == lane]

    def with_final(self, final: live.Final, *, several: bool) -> Speakers:
        """After a final.

        Args:
            final: The final.
            several: Whether several people share its lane.
        """
        if not final.segment.text:
            return self  # somebody coughed
        if several:
            return replace(self, unlabelled=(*self.unlabelled, final)[-MOST_UNLABELLED:])
        voice = Voice(lane_of(final.segment))
        return self if voice in self.voices else replace(self, voices=(*self.voices, voice))

    def with_labels(self, labelled: session.UtteranceLabelled) -> Speakers | None:
        """After the labels of a final; None where no final waits for them."""
        name = labelled.labels.utterance_id
        final = next((each for each in self.unlabelled if each.segment.segment_id == name), None)
        if final is None:
            return None
        lane = lane_of(final.segment)
        return replace(
            self,
            voices=(*self.voices, *(Voice(lane, number) for number in labelled.numbers)),
            unlabelled=tuple(each for each in self.unlabelled if each is not final),
            engine=labelled.engine if labelled.HasField("engine") else self.engine,
        )

    def with_merge(self, merge: session.SpeakersMerged) -> Speakers:
        """After two speakers turned out to be one."""
        lane = Lane(merge.number, merge.channel)
        if not merge.HasField("update"):
            # The name stays, and is of the one who stays.
            before, after = Voice(lane, merge.old), Voice(lane, merge.new)
            voices = (after if each == before else each for each in self.voices)
            return replace(self, voices=tuple(voices))
        old, new = merge.update.old, merge.update.new
        merged = {name: new if now == old else now for name, now in self.merged.items()}
        return replace(self, merged={**merged, old: new})

    def with_known(self, known: session.VoicesKnown) -> Speakers:
        """After more is known of the voices on a lane."""
        lane = Lane(known.number, known.channel)
        return replace(self, known={**self.known, lane: known.known})

    def without_track(self, number: int) -> Speakers:
        """After a track has ended."""
        return replace(
            self, known={lane: each for lane, each in self.known.items() if lane.track != number}
        )


class Naming:
    """Names the speakers of a lane.

    Attributes:
        numbers: The numbers of those who got a new name, in the order of the names.
    """

    def __init__(self, speakers: Speakers, lane: Lane) -> None:
        self.numbers: list[str] = []
        self._speakers = speakers
        self._lane = lane

    def name(self, number: str) -> str:
        """What the speaker with a number is called."""
        voice = Voice(self._lane, number)
        if voice in self._speakers.voices:
            return self._speakers.name(voice)
        if number not in self.numbers:
            self.numbers.append(number)
        return f"S{len(self._speakers.voices) + self.numbers.index(number) + 1}"


def lane_of(segment: common.Segment) -> Lane:
    """The lane that a final is of."""
    return Lane(segment.track, segment.channel)


def labelled(
    final: live.Final, spoken: common.Segment, name: Callable[[str], str]
) -> live.SpeakerLabels:
    """What a client gets of who said a final.

    Args:
        final: The final.
        spoken: Its segment with the numbers of the speakers.
        name: Gives the name of a number.
    """
    return live.SpeakerLabels(
        track=final.track,
        utterance_id=final.segment.segment_id,
        words=[
            live.WordSpeaker(speaker=name(word.speaker), overlapped=word.overlapped)
            for word in spoken.words
        ],
        speaker=name(spoken.speaker),
        overlapped=spoken.overlapped,
    )
