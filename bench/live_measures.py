"""The figures of live streams: how soon text comes, how often it changes, and how right it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import jiwer

from bench.bare import words_of
from bench.live_load import Event, Heard, Run
from bench.live_streams import PART_SAMPLES, PART_SECONDS, Expected
from bench.readings import SAMPLE_RATE
from bench.report import Figure
from maie_cli.load.percentiles import percentile

# The load is late where a message left so much later than it was spoken.
LOAD_LATE_SECONDS = 0.05
# A final that comes later is late, whatever the others do.
LATE_SECONDS = 2.0
# Threads that take less are not shown.
LEAST_MILLISECONDS = 0.05


@dataclass(kw_only=True, slots=True)
class Measured:
    """What was measured of all streams.

    Attributes:
        finals: From the end of speech to the final, in seconds.
        shown: From the end of speech to the message that shows the end of its utterance.
        added: From the message that shows the end of an utterance to the final.
        partials: From the end of what a partial reads to the partial.
        speech: The seconds of utterances.
        wrong_finals: Utterances that had not exactly one final.
        refused: What ended the streams that did not end well.
    """

    finals: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    added: list[float] = field(default_factory=list)
    partials: list[float] = field(default_factory=list)
    speech: float = 0.0
    wrong_finals: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def late(self) -> int:
        """How many finals were late."""
        return sum(seconds > LATE_SECONDS for seconds in self.finals)


def measure(heard: Sequence[Heard], expected: Sequence[Sequence[Expected]]) -> Measured:
    """Compares what was heard with what must be."""
    found = Measured()
    for stream, utterances in zip(heard, expected, strict=True):
        if stream.error:
            found.refused.append(stream.error)
            continue
        finals = stream.of("final")
        if len(finals) != len(utterances):
            found.wrong_finals += abs(len(finals) - len(utterances))
            continue
        _add(found, stream, finals, utterances)
    return found


def _add(
    found: Measured, stream: Heard, finals: Sequence[Event], utterances: Sequence[Expected]
) -> None:
    # The session began before the stream did.
    before = median(
        final.start - each.start / SAMPLE_RATE
        for final, each in zip(finals, utterances, strict=True)
    )
    for final, each in zip(finals, utterances, strict=True):
        found.finals.append(final.at - each.spoken / SAMPLE_RATE)
        found.shown.append(_sent(each.decided) - each.spoken / SAMPLE_RATE)
        found.added.append(final.at - _sent(each.decided))
        found.speech += (each.end - each.start) / SAMPLE_RATE
    for partial in stream.of("partial"):
        found.partials.append(partial.at - (partial.end - before))


def _sent(sample: int) -> float:
    """When the message with the sample before this one is sent."""
    return -(-sample // PART_SAMPLES) * PART_SECONDS


def taken_back(heard: Sequence[Heard], *, stable: bool) -> float:
    """The share of the words of partials that changed later, of all that appeared.

    Args:
        heard: The streams.
        stable: Whether only stable text is counted.
    """
    shown = gone = 0
    for stream in heard:
        for texts in _utterances(stream.events, stable=stable):
            shown += len(texts[0])
            for before, after in pairwise(texts):
                kept = _common(before, after)
                gone += len(before) - kept
                shown += len(after) - kept
            # What first comes with the final is no partial text.
            shown -= len(texts[-1]) - _common(texts[-2], texts[-1]) if len(texts) > 1 else 0
    return gone / shown if shown else 0.0


def _utterances(events: Sequence[Event], *, stable: bool) -> Iterator[list[list[str]]]:
    """The words of each utterance, partial by partial, and of its final."""
    texts: list[list[str]] = []
    for event in events:
        if event.kind == "partial":
            texts.append(words_of(event.stable if stable else event.text))
        elif event.kind == "final":
            if texts:
                yield [*texts, words_of(event.text)]
            texts = []


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return same


def joined(heard: Heard) -> str:
    """The finals of a stream as one text."""
    return " ".join(final.text for final in heard.of("final"))


def word_error(reference: Sequence[str], hypothesis: Sequence[str]) -> float:
    """Wrong, missing and additional words over the words of the references, 0 to 1."""
    return float(jiwer.wer(_clean(reference), _clean(hypothesis)))


def _clean(texts: Sequence[str]) -> list[str]:
    return [" ".join(words_of(text)) for text in texts]


def latency_figures(name: str, values: Sequence[float], **promises: float) -> list[Figure]:
    """The middle, the 95th and the 99th percentile, and the highest; in milliseconds.

    Args:
        name: What they are latencies of.
        values: In seconds; where there are none, the figures are 0.
        promises: The most milliseconds, such as `p95=900`.
    """
    points = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    return [
        Figure(
            name=f"{name}, {point}",
            value=1000 * percentile(values or [0.0], percent),
            unit="ms",
            at_most=promises.get(point),
        )
        for point, percent in points.items()
    ]


def run_figures(run: Run, measured: Measured) -> list[Figure]:
    """What holds for every run: nothing lost, nobody late, memory flat, and who was busy."""
    late = [seconds for heard in run.heard for seconds in heard.late]
    lags = sum(len(heard.of("lag")) for heard in run.heard)
    figures = [
        Figure(name="streams refused or broken", value=len(measured.refused), at_most=0),
        Figure(name="utterances without exactly one final", value=measured.wrong_finals, at_most=0),
        Figure(name="utterances", value=len(measured.finals)),
        Figure(name="finals later than 2 s", value=measured.late, at_most=0),
        Figure(name="notices that recognition is behind", value=lags, at_most=0),
        Figure(
            name="the load's own lateness, p99",
            value=1000 * percentile(late or [0.0], 99),
            unit="ms",
        ),
        Figure(name="the load's own lateness, max", value=1000 * max(late, default=0), unit="ms"),
    ]
    for name, (before, during, after) in run.memory.items():
        if name != "load":
            figures.append(Figure(name=f"{name}: memory before", value=before, unit="MB"))
            figures.append(Figure(name=f"{name}: memory in the run", value=during, unit="MB"))
            figures.append(Figure(name=f"{name}: memory at the end", value=after, unit="MB"))
    figures += [
        Figure(name=f"{name}: cores used", value=cores) for name, cores in run.cores.items()
    ]
    figures.append(Figure(name="the machine's share of others", value=run.others))
    return figures


def thread_figures(run: Run) -> list[Figure]:
    """The processor time that a second of a stream takes, by process and thread."""
    return [
        Figure(
            name=f"{part}, {thread}: processor time for a second of a stream",
            value=milliseconds,
            unit="ms",
        )
        for part, threads in run.threads.items()
        for thread, milliseconds in sorted(threads.items(), key=lambda each: -each[1])
        if milliseconds >= LEAST_MILLISECONDS
    ]


def growth_figures(run: Run) -> list[Figure]:
    """By how much memory grows over the last two thirds of the run, and its course."""
    return [
        Figure(name=f"{name}: memory grows, {series.picture()}", value=series.slope, unit="MB/h")
        for name, series in run.courses.items()
        if name != "load"
    ]
