"""What a live stream is answered, and how late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration

from maie.live.v1 import live_pb2 as live
from maie_cli.exits import Exit
from maie_cli.load.recording import Recording
from maie_cli.load.runs import Measure, Run, Sample, StreamReason, Trouble
from maie_core.durations import seconds

FINALS_WRONG = Trouble(
    reason=StreamReason.FINALS_WRONG,
    message="The session has more or fewer utterances than finals that came.",
    code=Exit.FAILED,
)
TRACK_BEGIN_MISSING = Trouble(
    reason=StreamReason.TRACK_BEGIN_MISSING,
    message="The gateway does not say where tracks begin; it may be of an earlier release.",
    code=Exit.FAILED,
)
# What is counted besides the reasons of warnings.
BEHIND, RECONNECTED = "times that recognition was behind", "broken connections"


@dataclass(kw_only=True, frozen=True, slots=True)
class _Text:
    """A partial or a final as it came.

    Attributes:
        measure: Which of the two.
        came: When, by the monotonic clock.
        end: Where it ends, in seconds from the session's beginning.
    """

    measure: Measure
    came: float
    end: float


class Hearing:
    """The events of one stream.

    Args:
        run: The stream.
        recording: What is spoken.

    Attributes:
        began: When the first sample was spoken, by the monotonic clock.
    """

    def __init__(self, run: Run, recording: Recording) -> None:
        self.began = time.monotonic()
        self._run = run
        self._recording = recording
        self._starts = 0
        self._track_begin: float | None = None
        self._texts: list[_Text] = []
        self._finals = 0

    def take(self, event: live.TranscribeResponse) -> None:
        """Takes an event when it comes."""
        match event.WhichOneof("event"):
            case "started":
                self._starts += 1
                self._run.notices[RECONNECTED] += self._starts > 1
            case "acknowledged":
                for track in event.acknowledged.tracks:
                    if track.HasField("begin_offset"):
                        self._track_begin = seconds(track.begin_offset)
            case "partial":
                self._add(Measure.PARTIAL, event.partial.range.end_offset)
            case "final":
                self._finals += 1
                self._add(Measure.FINAL, event.final.segment.end_offset)
            case "lag":
                self._run.notices[BEHIND] += 1
            case "warning":
                self._run.notices[event.warning.warning.reason] += 1
            case "ended":
                if event.ended.final_count != self._finals:
                    self._run.fail(FINALS_WRONG)

    def measure(self) -> None:
        """Measures how late texts came, once all are there."""
        if self._track_begin is None:
            if self._texts:
                self._run.fail(TRACK_BEGIN_MISSING)
            return
        for measure, sample in self._samples(self._track_begin):
            self._run.add(measure, sample)

    def _add(self, measure: Measure, end: Duration) -> None:
        self._texts.append(_Text(measure=measure, came=time.monotonic(), end=seconds(end)))

    def _samples(self, track_begin: float) -> Iterator[tuple[Measure, Sample]]:
        for text in self._texts:
            spoken = text.end - track_begin
            if text.measure is Measure.FINAL:
                # An utterance ends with some silence.
                spoken = self._recording.spoken(spoken)
            late = text.came - self.began - spoken
            yield text.measure, Sample(at=self._run.clock.at(text.came), seconds=late)
