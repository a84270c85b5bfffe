"""How the speakers of a session sound who shared a track, from its log. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from maie.common.v1 import types_pb2 as common
from maie.diarization.v1 import diarization_pb2 as diarization
from maie.diarization.v1 import streaming_pb2 as streaming
from maie.live.v1 import session_pb2 as session
from maie_core.durations import duration, seconds
from maie_gateway.live.speakers.state import Lane, Speakers, Voice
from maie_gateway.live.state import replay
from maie_gateway.voices.embeddings import pack, unpack


def voices(
    entries: Sequence[session.SessionEntry], transcripts: Sequence[common.Transcript]
) -> diarization.Diarization | None:
    """The speakers of a session with their voices, as of a recording.

    A speaker who has a track alone names it, and has no voice: nobody listened to it.

    Args:
        entries: The session's log.
        transcripts: The text of all of it.

    Returns:
        None where nobody was told apart by the voice. The same for the same log.
    """
    state = replay(entries)
    known = {
        Lane(each.number, each.channel): each.known
        for each in (entry.voices_known for entry in entries if entry.HasField("voices_known"))
    }
    if state is None or not known:
        return None
    space = _space(known.values())
    of_space = {lane: each for lane, each in known.items() if each.embedding_space == space}
    made = diarization.Diarization(
        engine=state.speakers.engine,
        embedding_space=space,
        same_person=list(of_space.values())[-1].same_person,
    )
    sounds = _sounds(of_space, state.speakers)
    alone = {
        state.speakers.name(each): each.lane for each in state.speakers.voices if not each.number
    }
    for name, spoken in _spoken(transcripts).items():
        lane = alone.get(name, Lane(0, 0))
        made.speakers.add(
            speaker=name, speech_duration=duration(spoken), track=lane.track, channel=lane.channel
        )
        if name in sounds and (embedding := unpack(sounds[name].embedding)):
            # Windows overlap, so that a second may be in several of what is known.
            clean = min(seconds(sounds[name].clean_duration), spoken)
            made.voices.add(speaker=name, embedding=pack(embedding), clean_duration=duration(clean))
    return made


def _space(known: Iterable[streaming.KnownSpeakers]) -> str:
    """The space of most of what is known: an engine may have been replaced meanwhile."""
    heard = Counter[str]()
    for each in known:
        heard[each.embedding_space] += sum(
            speaker.clean_duration.ToNanoseconds() for speaker in each.speakers
        )
    return heard.most_common(1)[0][0]


def _sounds(
    known: Mapping[Lane, streaming.KnownSpeakers], speakers: Speakers
) -> dict[str, streaming.KnownSpeaker]:
    """What is known of each speaker who said something, by name."""
    return {
        speakers.name(voice): each
        for lane, of in known.items()
        for each in of.speakers
        if (voice := Voice(lane, each.speaker)) in speakers.voices
    }


def _spoken(transcripts: Sequence[common.Transcript]) -> dict[str, float]:
    """How long each speaker speaks, in seconds, in the order in which they begin."""
    found: defaultdict[str, float] = defaultdict(float)
    for segment in (each for transcript in transcripts for each in transcript.segments):
        if segment.HasField("speaker"):
            length = seconds(segment.end_offset) - seconds(segment.start_offset)
            found[segment.speaker] += length
    return found
