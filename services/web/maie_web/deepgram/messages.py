"""From a live session's events to Deepgram's messages.

Reference: https://developers.deepgram.com/reference/speech-to-text/listen-streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from maie.asr.v1 import streaming_pb2 as streaming
from maie.common.v1 import types_pb2 as common
from maie.live.v1 import live_pb2 as live
from maie_core.durations import seconds
from maie_web.deepgram.answers import model_info, name_of, word
from maie_web.deepgram.options import StreamOptions

Message = dict[str, Any]
# A pause was found, or somebody said that the speaker is done.
_SPOKEN = frozenset(
    {streaming.END_REASON_SILENCE, streaming.END_REASON_MODEL, streaming.END_REASON_TRACK_END}
)


class Messages:
    """The messages of one connection.

    Args:
        request_id: The id of the connection.
        asked: What was asked for.
        engine: What recognises the speech.
    """

    def __init__(self, request_id: str, asked: StreamOptions, engine: common.EngineVersion) -> None:
        self._asked = asked
        self._begin = 0.0
        self._channels = asked.channels if asked.multichannel else 1
        self._metadata = {
            "request_id": request_id,
            "model_info": model_info(engine),
            "model_uuid": name_of(engine),
        }

    def place(self, begin: float) -> None:
        """Takes where the audio begins, in seconds of the session."""
        self._begin = begin

    def of(self, event: live.TranscribeResponse) -> Iterator[Message]:
        """What an event is for the client; nothing for most kinds."""
        match event.WhichOneof("event"):
            case "turn" if self._asked.vad_events:
                if event.turn.event == streaming.TURN_EVENT_STARTED:
                    yield {
                        "type": "SpeechStarted",
                        "channel": self._channel(event.turn.channel),
                        "timestamp": self._at(seconds(event.turn.offset)),
                    }
            case "partial" if self._asked.interim_results:
                yield self._interim(event.partial)
            case "final":
                yield self._final(event.final)

    def utterance_end(self, last: live.Final) -> Message:
        """Nobody has spoken for a while after a final."""
        words = last.segment.words
        end = words[-1].end_offset if words else last.segment.end_offset
        return {
            "type": "UtteranceEnd",
            "channel": self._channel(last.segment.channel),
            "last_word_end": self._at(seconds(end)),
        }

    def _interim(self, partial: live.Partial) -> Message:
        text = " ".join(each for each in (partial.stable_text, partial.unstable_text) if each)
        return self._results(
            partial.channel, partial.range, text, partial.stability, (), is_final=False
        )

    def _final(self, final: live.Final) -> Message:
        segment = final.segment
        words = [
            word(
                each.word,
                self._at(seconds(each.start_offset)),
                self._at(seconds(each.end_offset)),
                each.confidence,
            )
            for each in segment.words
        ]
        times = common.TimeRange(start_offset=segment.start_offset, end_offset=segment.end_offset)
        made = self._results(
            segment.channel, times, segment.text, segment.confidence, words, is_final=True
        )
        # With endpointing=false nobody asks for the ends of speech.
        made["speech_final"] = final.reason in _SPOKEN and self._asked.endpointing is not False
        made["from_finalize"] = final.reason == streaming.END_REASON_FINALIZE
        return made

    def _results(
        self,
        channel: int,
        times: common.TimeRange,
        text: str,
        confidence: float,
        words: Sequence[Message],
        *,
        is_final: bool,
    ) -> Message:
        start, end = seconds(times.start_offset), seconds(times.end_offset)
        best = {"transcript": text, "confidence": confidence, "words": words}
        return {
            "type": "Results",
            "channel_index": self._channel(channel),
            "start": self._at(start),
            "duration": round(end - start, 6),
            "is_final": is_final,
            "speech_final": False,
            "from_finalize": False,
            "channel": {"alternatives": [best]},
            "metadata": self._metadata,
        }

    def _channel(self, number: int) -> list[int]:
        """A channel, and of how many."""
        return [max(0, number - 1), self._channels]

    def _at(self, place: float) -> float:
        """A place of the session in the audio of the client."""
        return round(max(0.0, place - self._begin), 6)
