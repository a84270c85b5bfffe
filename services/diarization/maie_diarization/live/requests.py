"""Checks the config of a live track."""

from __future__ import annotations

from dataclasses import dataclass

from maie.diarization.v1 import streaming_pb2 as streaming
from maie_core.durations import seconds
from maie_core.errors import StageError
from maie_core.limits import MAX_SPEAKERS
from maie_core.samples import samples
from maie_diarization.live.speakers import Known
from maie_diarization.messages import EMBEDDING, unpacked
from maie_speech.live.requests import out_of_order, out_of_range

_FLOAT_BYTES = EMBEDDING.itemsize


@dataclass(kw_only=True, frozen=True, slots=True)
class Beginning:
    """How a track begins.

    Attributes:
        start: Its first sample.
        known: The speakers who are known from before.
        next_number: The number of the next speaker, from 1.
        most: The most speakers.
    """

    start: int
    known: tuple[Known, ...]
    next_number: int
    most: int


def beginning_of(request: streaming.StreamingDiarizeRequest, space: str) -> Beginning:
    """What the config says, which is the first message.

    Args:
        request: The first message.
        space: The space of the engine's embeddings.

    Raises:
        StageError: INVALID_ARGUMENT with STREAM_OUT_OF_ORDER or OPTION_OUT_OF_RANGE.
    """
    if request.WhichOneof("request") != "config":
        raise out_of_order(
            "The first message of a track is its `config`; send it before any other."
        )
    config = request.config
    if samples(config.start_offset) < 0:
        raise out_of_range("start_offset", "0 or more")
    if not 0 <= config.max_speaker_count <= MAX_SPEAKERS:
        raise out_of_range("max_speaker_count", f"1 to {MAX_SPEAKERS}, or 0 for {MAX_SPEAKERS}")
    known = _known(config.known)
    return Beginning(
        start=samples(config.start_offset),
        # Speakers of another space have their numbers, and cannot be found again.
        known=known if config.known.embedding_space == space else (),
        next_number=max(1, config.known.next_number),
        most=config.max_speaker_count or MAX_SPEAKERS,
    )


def _known(message: streaming.KnownSpeakers) -> tuple[Known, ...]:
    found = tuple(_speaker(each, message.next_number) for each in message.speakers)
    if len({len(each.mean) for each in found}) > 1 or len({each.number for each in found}) < len(
        found
    ):
        raise _not_given("speakers with numbers of their own and embeddings of one length")
    return found


def _speaker(message: streaming.KnownSpeaker, next_number: int) -> Known:
    is_number = message.speaker.isascii() and message.speaker.isdigit()
    if not is_number or not 0 < int(message.speaker) < next_number:
        raise _not_given("speakers from 1 up to the one before `next_number`")
    length = len(message.embedding)
    if not length or length % _FLOAT_BYTES or seconds(message.clean_duration) <= 0:
        raise _not_given("speakers with an embedding of 32-bit floats and some speech")
    return Known(
        number=int(message.speaker),
        mean=unpacked(message.embedding),
        seconds=seconds(message.clean_duration),
    )


def _not_given(words: str) -> StageError:
    return out_of_range("known", f"{words}, as the service gave them")
