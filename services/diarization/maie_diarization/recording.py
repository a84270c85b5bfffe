"""The reduce step: says which voices of a recording are one speaker's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import duration, seconds
from maie_diarization.blocking import Heartbeat
from maie_diarization.clustering import identify, turns
from maie_diarization.engine import Engine
from maie_diarization.listening import is_one_speaker
from maie_diarization.messages import hints_of, plain_voices, spoken, time_range


@dataclass(kw_only=True, frozen=True, slots=True)
class Lane:
    """A speaker before it has a name: a channel of a track, or a number among those of a mix.

    Attributes:
        track: The track that is the speaker's alone, from 1; 0 for none.
        channel: The channel, likewise.
        number: The number among the speakers of a mix; 0 for a channel or track.
    """

    track: int = 0
    channel: int = 0
    number: int = 0


def who_is_who(
    parts: Sequence[diarization.Voices],
    options: diarization.SpeakerOptions,
    engine: Engine,
    heartbeat: Heartbeat,
) -> diarization.Diarization:
    """The speakers of a recording, in the order in which they first speak, and their turns.

    Args:
        parts: The voices of all chunks, in recording order, in one embedding space.
        options: What is known of the number of speakers.
        engine: The engine whose voices they are.
        heartbeat: Called every few seconds.
    """
    made = diarization.Diarization(engine=engine.version)
    by_lane: dict[Lane, list[common.TimeRange]] = defaultdict(list)
    for part in parts:
        if is_one_speaker(part.chunk):
            lane = Lane(track=part.chunk.track, channel=part.chunk.channel)
            by_lane[lane] += [turn for voice in part.voices for turn in voice.turns]
    mixed = [part for part in parts if not is_one_speaker(part.chunk)]
    if any(part.voices for part in mixed):
        chunks = [plain_voices(part) for part in mixed]
        found = identify(chunks, hints_of(options), engine.calibration, heartbeat)
        if not options.HasField("speaker_count"):
            made.count_confidence = found.confidence
        for part, voices, numbers in zip(mixed, chunks, found.speakers, strict=True):
            offset = seconds(part.chunk.range.start_offset)
            for turn in turns(voices, numbers):
                span = time_range(turn.start + offset, turn.end + offset)
                by_lane[Lane(number=turn.speaker)].append(span)
    elif heard := [span for part in mixed for span in part.chunk.speech]:
        # Somebody speaks, but too little to tell voices apart.
        by_lane[Lane()] = heard
        made.count_confidence = 0.0
    _name(made, by_lane)
    return made


def _name(made: diarization.Diarization, by_lane: Mapping[Lane, list[common.TimeRange]]) -> None:
    """Names the speakers by the order in which they first speak."""
    first = {lane: min(map(_start, spans)) for lane, spans in by_lane.items() if spans}
    for number, lane in enumerate(sorted(first, key=first.__getitem__), start=1):
        speaker = made.speakers.add(
            speaker=f"S{number}",
            speech_duration=duration(spoken(by_lane[lane])),
            channel=lane.channel,
            track=lane.track,
        )
        for span in by_lane[lane]:
            made.turns.add(range=span, speaker=speaker.speaker)
    made.turns.sort(key=lambda turn: _start(turn.range))


def _start(span: common.TimeRange) -> float:
    return seconds(span.start_offset)
