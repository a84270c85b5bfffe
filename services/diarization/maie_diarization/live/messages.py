"""The events of a live track, as the contract has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from maie.diarization.v1 import diarization_pb2 as diarization
from maie.diarization.v1 import streaming_pb2 as streaming
from maie_core.durations import duration, time_range
from maie_core.samples import duration as offset
from maie_diarization.clustering import SpeakerTurn
from maie_diarization.live.speakers import Known, Merge
from maie_diarization.messages import packed

Response: TypeAlias = streaming.StreamingDiarizeResponse


def turns_event(turns: Sequence[SpeakerTurn], settled: int) -> Response:
    """Who speaks up to a place, in samples of the track, since the place before."""
    return Response(
        turns=streaming.StreamingTurns(
            turns=[
                diarization.SpeakerTurn(
                    range=time_range(turn.start, turn.end), speaker=str(turn.speaker)
                )
                for turn in turns
            ],
            settled_offset=offset(settled),
        )
    )


def update_event(merge: Merge) -> Response:
    """That two speakers turn out to be one."""
    return Response(update=streaming.StreamingSpeakerUpdate(old=str(merge.old), new=str(merge.new)))


def known_event(
    known: Sequence[Known], next_number: int, space: str, same_person: float
) -> Response:
    """Who is known.

    Args:
        known: The speakers.
        next_number: The number of the next one.
        space: The space of their embeddings.
        same_person: The similarity from which voices are likely one person's.
    """
    return Response(
        known=streaming.KnownSpeakers(
            embedding_space=space,
            speakers=[
                streaming.KnownSpeaker(
                    speaker=str(each.number),
                    embedding=packed(each.mean),
                    clean_duration=duration(each.seconds),
                )
                for each in known
            ],
            next_number=next_number,
            same_person=same_person,
        )
    )


def progress_event(received: int, settled: int) -> Response:
    """How far a track is, in samples."""
    return Response(
        progress=streaming.StreamingDiarizeProgress(
            received_offset=offset(received), settled_offset=offset(settled)
        )
    )
