"""The reduce step: says which voices of a recording are one speaker's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie_core.durations import duration, seconds, time_range
from maie_diarization.clustering import Identification, identify, turns
from maie_diarization.engine import Embedding, Engine, Voice
from maie_diarization.listening import is_one_speaker
from maie_diarization.messages import (
    hints_of,
    packed,
    plain_voices,
    spoken,
)
from maie_runtime.worker.blocking import Heartbeat


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


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class HeardVoice:
    """How a speaker sounds.

    Attributes:
        embedding: Whose voice it is.
        clean_duration: The seconds of clean speech, as often as windows have them.
    """

    embedding: Embedding
    clean_duration: float


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
    sound: dict[Lane, HeardVoice] = {}
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
        sound = _heard(chunks, found)
        for part, voices, numbers in zip(mixed, chunks, found.speakers, strict=True):
            offset = seconds(part.chunk.range.start_offset)
            for turn in turns(voices, numbers):
                span = time_range(turn.start + offset, turn.end + offset)
                by_lane[Lane(number=turn.speaker)].append(span)
    elif heard := [span for part in mixed for span in part.chunk.speech]:
        # Somebody speaks, but too little to tell voices apart.
        by_lane[Lane()] = heard
        made.count_confidence = 0.0
    lanes = _name(made, by_lane)
    if mixed:
        made.embedding_space = engine.embedding_space
        made.same_person = engine.calibration.same_person
        _add_voices(made, lanes, sound)
    return made


def _heard(chunks: Sequence[Sequence[Voice]], found: Identification) -> dict[Lane, HeardVoice]:
    """How the speakers of a mix sound; those of whom too little is heard alone are left out."""
    clean: dict[int, float] = defaultdict(float)
    for voices, numbers in zip(chunks, found.speakers, strict=True):
        for voice, number in zip(voices, numbers, strict=True):
            clean[number] += voice.clean_duration
    return {
        Lane(number=number): HeardVoice(embedding=embedding, clean_duration=clean[number])
        for number, embedding in enumerate(found.centroids)
        if len(embedding)
    }


def _add_voices(
    made: diarization.Diarization, lanes: Sequence[Lane], heard: Mapping[Lane, HeardVoice]
) -> None:
    """Adds how the speakers sound.

    Args:
        made: The speakers.
        lanes: The lane of each.
        heard: How those of a mix sound.
    """
    for speaker, lane in zip(made.speakers, lanes, strict=True):
        if lane in heard:
            # Windows overlap, so that a second may be in several voices.
            clean = min(heard[lane].clean_duration, seconds(speaker.speech_duration))
            made.voices.add(
                speaker=speaker.speaker,
                embedding=packed(heard[lane].embedding),
                clean_duration=duration(clean),
            )


def _name(
    made: diarization.Diarization, by_lane: Mapping[Lane, list[common.TimeRange]]
) -> list[Lane]:
    """Names the speakers by the order in which they first speak; gives their lanes."""
    first = {lane: min(map(_start, spans)) for lane, spans in by_lane.items() if spans}
    lanes = sorted(first, key=first.__getitem__)
    for number, lane in enumerate(lanes, start=1):
        speaker = made.speakers.add(
            speaker=f"S{number}",
            speech_duration=duration(spoken(by_lane[lane])),
            channel=lane.channel,
            track=lane.track,
        )
        for span in by_lane[lane]:
            made.turns.add(range=span, speaker=speaker.speaker)
    made.turns.sort(key=lambda turn: _start(turn.range))
    return lanes


def _start(span: common.TimeRange) -> float:
    return seconds(span.start_offset)
