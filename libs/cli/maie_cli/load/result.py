"""The figures of a load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from maie_cli.exits import Exit
from maie_cli.load.charts import Bar, Slot, bars_of, slots_of
from maie_cli.load.load import Load
from maie_cli.load.percentiles import percentile
from maie_cli.load.runs import Measure, State, Trouble, samples_of


@dataclass(kw_only=True, frozen=True, slots=True)
class Kind:
    """What a load is made of.

    Attributes:
        name: One of it, for people.
        measures: What is measured of it, in the order in which it happens.
        main: The measure that is drawn.
        drawn: What has a value of it, for people.
    """

    name: str
    measures: tuple[Measure, ...]
    main: Measure
    drawn: str


JOBS = Kind(
    name="job",
    measures=(Measure.ACCEPTED, Measure.FIRST_WORDS, Measure.END),
    main=Measure.END,
    drawn="jobs",
)
STREAMS = Kind(
    name="live stream",
    measures=(Measure.STARTED, Measure.PARTIAL, Measure.FINAL),
    main=Measure.FINAL,
    drawn="finals",
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Latency:
    """One measure over all of a load, in seconds.

    Attributes:
        count: How many values there are.
        mean: Their mean.
        p50: Half of them are at most this.
        p90: So are nine tenths.
        p99: So are 99 of 100.
        max: The highest.
    """

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    max: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Troubles:
    """Failures of one reason.

    Attributes:
        reason: The reason.
        count: How many there are.
        message: The sentence of the first.
    """

    reason: str
    count: int
    message: str


@dataclass(kw_only=True, frozen=True, slots=True)
class Result:
    """The figures of a load.

    Attributes:
        kind: What it was made of.
        recording: The name of the recording.
        count: How many there were to be.
        at_once: How many at a time.
        seconds: How long it took.
        complete: How many were.
        failed: How many failed or were refused.
        cancelled: How many were cancelled.
        left: How many go on, since somebody would not wait for their end.
        not_begun: How many never began, since the load was stopped.
        audio_seconds: The audio that was processed: of complete jobs, or of what was spoken.
        audio_hours_per_hour: The throughput.
        latencies: The measures of which there are values.
        errors: Why some failed, the most frequent first.
        notices: What happened that is no failure, and how often.
        distribution: How the values of the main measure are distributed.
        course: How they went while the load ran.
    """

    kind: str
    recording: str
    count: int
    at_once: int
    seconds: float
    complete: int
    failed: int
    cancelled: int
    left: int
    not_begun: int
    audio_seconds: float
    audio_hours_per_hour: float
    latencies: Mapping[Measure, Latency]
    errors: Sequence[Troubles]
    notices: Mapping[str, int]
    distribution: Sequence[Bar]
    course: Sequence[Slot]


def result_of(load: Load, kind: Kind, *, recording: str, at_once: int) -> Result:
    """The figures of a load that has ended."""
    drawn = samples_of(load.runs, kind.main)
    audio = sum(run.audio_seconds for run in load.runs)
    return Result(
        kind=kind.name,
        recording=recording,
        count=load.count,
        at_once=at_once,
        seconds=load.seconds,
        complete=load.count_of(State.COMPLETE),
        failed=load.count_of(State.FAILED),
        cancelled=load.count_of(State.CANCELLED),
        left=load.count_of(State.RUNNING),
        not_begun=load.count - len(load.runs),
        audio_seconds=audio,
        audio_hours_per_hour=audio / load.seconds if load.seconds else 0.0,
        latencies={each: found for each in kind.measures if (found := _latency(load, each))},
        errors=_errors([run.trouble for run in load.runs if run.trouble]),
        notices=dict(+sum((run.notices for run in load.runs), Counter[str]())),
        distribution=bars_of([sample.seconds for sample in drawn]),
        course=slots_of(drawn),
    )


def exit_of(load: Load) -> Exit:
    """The exit code of a load that nobody stopped: the worst of its failures."""
    codes = [run.trouble.code for run in load.runs if run.trouble]
    others = Exit.FAILED if load.count_of(State.COMPLETE) < load.count else Exit.OK
    return max(codes, default=others)


def _latency(load: Load, measure: Measure) -> Latency | None:
    values = [sample.seconds for sample in samples_of(load.runs, measure)]
    if not values:
        return None
    p50, p90, p99, highest = (percentile(values, each) for each in (50, 90, 99, 100))
    return Latency(count=len(values), mean=fmean(values), p50=p50, p90=p90, p99=p99, max=highest)


def _errors(troubles: Sequence[Trouble]) -> list[Troubles]:
    counts = Counter(trouble.reason for trouble in troubles)
    messages = {trouble.reason: trouble.message for trouble in reversed(troubles)}
    return [
        Troubles(reason=reason, count=count, message=messages[reason])
        for reason, count in counts.most_common()
    ]
