"""What a replica says of a track, as the session's client gets it."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf.duration_pb2 import Duration

from maie.asr.v1 import streaming_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live
from maie_core.reasons import WarningReason
from maie_core.result_warnings import written
from maie_core.samples import nanoseconds
from maie_gateway.live.state import utterance_id


def warning(
    reason: str,
    message: str,
    *,
    metadata: Mapping[str, object] | None = None,
    track: str = "",
    channel: int = 0,
    dropped: bool = False,
) -> live.TranscribeResponse:
    """Something that a person should know.

    Args:
        reason: The reason, of a warning or of an error.
        message: What to know, and what to do.
        metadata: The values in the message, by the names in `Warning.metadata`.
        track: The track; empty where it is about the session.
        channel: The channel, from 1; 0 for all of the track.
        dropped: Whether the track goes no further in this call.
    """
    event = live.TranscribeResponse(
        warning=live.SessionWarning(
            track=track,
            channel=channel,
            warning=common.Warning(
                reason=reason, message=message, metadata=written(metadata or {})
            ),
            track_dropped=dropped,
        )
    )
    event.event_time.GetCurrentTime()
    return event


def name_speaker(segment: common.Segment, speaker: str) -> None:
    """Says who speaks a whole segment; changed in place."""
    segment.speaker = speaker
    for word in segment.words:
        word.speaker = speaker


class TrackEvents:
    """Makes the events of one track, or a channel of it, with offsets from the session's beginning.

    Args:
        name: The track.
        number: Its number.
        offset: Where it begins, in nanoseconds from the session's beginning.
        channel: The channel, from 1; 0 for the mix of all.
    """

    def __init__(self, name: str, number: int, offset: int, channel: int) -> None:
        self._name = name
        self._number = number
        self._offset = offset
        self._channel = channel

    def turn(self, of: asr.StreamingTurn) -> live.TranscribeResponse:
        """An utterance begins or ends."""
        turn = live.Turn(
            track=self._name,
            channel=self._channel,
            utterance_id=utterance_id(self._number, of.utterance, self._channel),
            event=of.event,
            offset=self._shifted(of.offset),
            text=of.text,
            reason=of.reason,
            confidence=of.confidence if of.HasField("confidence") else None,
        )
        return live.TranscribeResponse(turn=turn)

    def partial(self, of: asr.StreamingPartial) -> live.TranscribeResponse:
        """The text of an utterance so far."""
        partial = live.Partial(
            track=self._name,
            channel=self._channel,
            utterance_id=utterance_id(self._number, of.utterance, self._channel),
            range=common.TimeRange(
                start_offset=self._shifted(of.range.start_offset),
                end_offset=self._shifted(of.range.end_offset),
            ),
            stable_text=of.stable_text,
            unstable_text=of.unstable_text,
            stability=of.stability,
        )
        return live.TranscribeResponse(partial=partial)

    def lag(self, behind: Duration) -> live.TranscribeResponse:
        """Recognition is behind the audio."""
        lag = live.Lag(track=self._name, channel=self._channel, behind=behind)
        return live.TranscribeResponse(lag=lag)

    def thinned(self, factor: float) -> live.TranscribeResponse:
        """Partial results come more seldom than asked for."""
        return warning(
            WarningReason.PARTIALS_THINNED,
            f"Partial results come about {factor:.0f} times more seldom than asked for, as the ASR "
            "workers are busy.",
            metadata={"factor": factor},
            track=self._name,
            channel=self._channel,
        )

    def final(self, of: asr.StreamingFinal, *, punctuated: bool) -> live.Final:
        """The text of an utterance, but for its latency.

        Args:
            of: What the engine read.
            punctuated: Whether the engine writes punctuation and casing.
        """
        segment = common.Segment(
            segment_id=utterance_id(self._number, of.utterance, self._channel),
            start_offset=self._shifted(of.range.start_offset),
            end_offset=self._shifted(of.range.end_offset),
            text=of.text,
            words=(self._word(word) for word in of.words),
            track=self._number,
            channel=self._channel,
        )
        if of.HasField("confidence"):
            segment.confidence = of.confidence
        return live.Final(
            track=self._name,
            segment=segment,
            language_code=of.language_code,
            reason=of.reason,
            punctuated=punctuated,
        )

    def _word(self, of: common.Word) -> common.Word:
        word = common.Word()
        word.CopyFrom(of)
        word.start_offset.CopyFrom(self._shifted(of.start_offset))
        word.end_offset.CopyFrom(self._shifted(of.end_offset))
        return word

    def _shifted(self, offset: Duration) -> Duration:
        return nanoseconds(offset.ToNanoseconds() + self._offset)
