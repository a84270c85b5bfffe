"""What came of each job or live stream of a load."""

from __future__ import annotations

import enum
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from maie_cli.exits import Exit, exit_of_error
from maie_client import ClientError


class Clock:
    """The time since a load began."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return self.at(time.monotonic())

    def at(self, moment: float) -> float:
        """A moment of the monotonic clock, in seconds from the beginning."""
        return moment - self._began


class Measure(enum.StrEnum):
    """What is measured, in seconds."""

    ACCEPTED = "accepted"
    """Of a job: from the beginning of its upload until it is accepted."""
    FIRST_WORDS = "first_words"
    """Of a job: from the beginning of its upload until the first segment of text."""
    END = "end"
    """Of a job: from the beginning of its upload until it is complete."""
    STARTED = "started"
    """Of a live stream: from the call until the session has started."""
    PARTIAL = "partial"
    """Of a live stream: from the end of the audio that a partial reads until it comes."""
    FINAL = "final"
    """Of a live stream: from the end of the speech of an utterance until its final comes."""

    @property
    def words(self) -> str:
        """Its name for people."""
        return self.replace("_", " ")


class State(enum.StrEnum):
    """What became of a job or a stream."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StreamReason(enum.StrEnum):
    """Why a live stream failed where no gateway says so."""

    END_LATE = "END_LATE"
    """The session did not end after the last audio."""
    FINALS_WRONG = "FINALS_WRONG"
    """The session has more or fewer utterances than finals that came."""
    TRACK_BEGIN_MISSING = "TRACK_BEGIN_MISSING"
    """The gateway does not say where tracks begin."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Sample:
    """One measurement.

    Attributes:
        at: When it was made, in seconds from the beginning of the load.
        seconds: What was measured.
    """

    at: float
    seconds: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Trouble:
    """Why a job or a stream failed.

    Attributes:
        reason: The reason, UPPER_SNAKE_CASE.
        message: A sentence for people.
        code: The exit code.
    """

    reason: str
    message: str
    code: Exit

    @classmethod
    def of(cls, error: ClientError) -> Trouble:
        """The trouble of a gateway's error."""
        reason = error.reason or error.code.name
        return cls(reason=reason, message=error.message, code=exit_of_error(error))


@dataclass(kw_only=True, slots=True)
class Run:
    """One job or live stream.

    Attributes:
        clock: The time since the load began.
        job_id: Its job; empty while there is none.
        state: What became of it.
        samples: What was measured.
        audio_seconds: The length of the audio that was processed.
        trouble: Why it failed; None where it did not.
        notices: How often what happened that is no failure, such as the reasons of warnings.
    """

    clock: Clock
    job_id: str = ""
    state: State = State.RUNNING
    samples: dict[Measure, list[Sample]] = field(default_factory=dict)
    audio_seconds: float = 0.0
    trouble: Trouble | None = None
    notices: Counter[str] = field(default_factory=Counter)

    def add(self, measure: Measure, *samples: Sample) -> None:
        """Adds measurements."""
        self.samples.setdefault(measure, []).extend(samples)

    def add_now(self, measure: Measure, seconds: float) -> None:
        """Adds what was measured now, in seconds."""
        self.add(measure, Sample(at=self.clock.seconds, seconds=seconds))

    def fail(self, trouble: Trouble) -> None:
        """Ends it as failed."""
        self.state, self.trouble = State.FAILED, trouble


def samples_of(runs: Iterable[Run], measure: Measure) -> list[Sample]:
    """The measurements of all runs."""
    return [sample for run in runs for sample in run.samples.get(measure, ())]
