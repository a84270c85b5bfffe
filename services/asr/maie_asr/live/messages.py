"""The events of a live track, as the contract has them."""

from __future__ import annotations

from maie.asr.v1 import streaming_pb2 as streaming
from maie.common.v1 import types_pb2 as common
from maie_asr.engine import SAMPLE_RATE
from maie_asr.live.engine import LiveReading
from maie_core.durations import duration
from maie_core.samples import duration as offset
from maie_speech.agreement import PartialText
from maie_speech.finder import Span
from maie_speech.turns import Turn, TurnCause, TurnChange

Response = streaming.StreamingRecognizeResponse

_EVENTS = {
    TurnChange.STARTED: streaming.TURN_EVENT_STARTED,
    TurnChange.EAGER_END: streaming.TURN_EVENT_EAGER_END,
    TurnChange.RESUMED: streaming.TURN_EVENT_RESUMED,
    TurnChange.ENDED: streaming.TURN_EVENT_ENDED,
}
_REASONS = {
    None: streaming.END_REASON_UNSPECIFIED,
    TurnCause.SILENCE: streaming.END_REASON_SILENCE,
    TurnCause.FINALIZE: streaming.END_REASON_FINALIZE,
    TurnCause.TRACK_END: streaming.END_REASON_TRACK_END,
    TurnCause.MAX_LENGTH: streaming.END_REASON_MAX_LENGTH,
    TurnCause.SHUTDOWN: streaming.END_REASON_SHUTDOWN,
    TurnCause.MODEL: streaming.END_REASON_MODEL,
}


def turn_event(turn: Turn, text: str = "") -> Response:
    """That an utterance begins or ends."""
    return Response(
        turn=streaming.StreamingTurn(
            utterance=turn.number,
            event=_EVENTS[turn.change],
            offset=offset(turn.offset),
            text=text,
            reason=_REASONS[turn.cause],
            confidence=turn.confidence,
        )
    )


def partial_event(number: int, span: Span, text: PartialText, stability: float) -> Response:
    """The text of an utterance so far."""
    return Response(
        partial=streaming.StreamingPartial(
            utterance=number,
            range=_range(span),
            stable_text=text.stable,
            unstable_text=text.unstable,
            stability=stability,
        )
    )


def final_event(turn: Turn, reading: LiveReading, latency: float) -> Response:
    """The text of an utterance that is over.

    Args:
        turn: Its end.
        reading: Its text.
        latency: The time since the last speech arrived, in seconds.
    """
    return Response(
        final=streaming.StreamingFinal(
            utterance=turn.number,
            range=_range(turn.span),
            text=reading.text,
            words=[
                common.Word(
                    start_offset=offset(turn.span.start + round(word.start * SAMPLE_RATE)),
                    end_offset=offset(turn.span.start + round(word.end * SAMPLE_RATE)),
                    word=word.text,
                    confidence=word.confidence,
                )
                for word in reading.words
            ],
            confidence=reading.confidence,
            language_code=reading.language,
            reason=_REASONS[turn.cause],
            latency=duration(max(latency, 0.0)),
        )
    )


def progress_event(received: int, settled: int, behind: float, thinning: int) -> Response:
    """How far a track is, and how many times more seldom than asked for its partials come."""
    return Response(
        progress=streaming.StreamingProgress(
            received_offset=offset(received),
            settled_offset=offset(settled),
            behind=duration(max(behind, 0.0)),
            partial_thinning=thinning,
        )
    )


def _range(span: Span) -> common.TimeRange:
    return common.TimeRange(start_offset=offset(span.start), end_offset=offset(span.end))
