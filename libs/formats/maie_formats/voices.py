"""What people call the voices of a recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import seconds
from maie_core.speakers import place_label, speaker_label
from maie_formats.clean import plain


def labels(speakers: Iterable[diarization.Speaker]) -> dict[str, str]:
    """What people call each speaker, by its id.

    A speaker has the name that somebody gave it. Without one, a speaker who has a channel or a
    track is called by that, as in recordings whose speakers were not asked for: "Channel 1". All
    others are numbered: "Speaker 1".
    """
    return {
        each.speaker: _label(each.speaker, each.name, place_label(each.track, each.channel))
        for each in speakers
    }


def voice_of(segment: common.Segment, known: Mapping[str, str]) -> str:
    """Who speaks in a segment, as people call it; empty if nobody knows.

    Args:
        segment: The segment.
        known: The labels of the speakers.
    """
    if segment.HasField("speaker"):
        return known.get(segment.speaker) or _label(segment.speaker)
    return place_label(segment.track, segment.channel)


def shares(speakers: Iterable[diarization.Speaker]) -> list[str]:
    """The speakers with their shares of the speech, such as "Anna (62%)".

    Speakers of one name are one person.
    """
    known = list(speakers)
    called, spoken = labels(known), dict[str, float]()
    for each in known:
        label = called[each.speaker]
        spoken[label] = spoken.get(label, 0.0) + seconds(each.speech_duration)
    whole = sum(spoken.values())
    return [f"{label} ({part / whole:.0%})" if whole else label for label, part in spoken.items()]


def _label(speaker: str, name: str = "", place: str = "") -> str:
    return plain(speaker_label(speaker, plain(name), place))
