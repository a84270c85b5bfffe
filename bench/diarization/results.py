"""The results of all products, as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.diarization.products import MAIE
from bench.diarization.recordings import Recording
from bench.diarization.scores import Score, together
from bench.report import Figure

HEAD = (
    "recordings",
    "product",
    "error",
    "missed",
    "false alarm",
    "confusion",
    "with collar",
    "Jaccard",
    "words",
    "counted",
    "wrong by",
    "real time",
    "of processors",
    "memory",
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Took:
    """What a recording took.

    Attributes:
        seconds: By the clock.
        processor_seconds: By the clocks of all processors.
        peak_mb: The most memory meanwhile.
    """

    seconds: float
    processor_seconds: float
    peak_mb: float


@dataclass(kw_only=True, frozen=True, slots=True)
class Found:
    """What a product made of a recording.

    Attributes:
        score: Its errors.
        took: What it took; None where the product ran elsewhere.
    """

    score: Score
    took: Took | None = None


@dataclass(kw_only=True, slots=True)
class Results:
    """All that was measured.

    Attributes:
        recordings: The recordings, in order.
        found: By product and name of the recording.
        reasons: By product, why it did not run, or failed with a recording.
    """

    recordings: Sequence[Recording]
    found: dict[str, dict[str, Found]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def table(self) -> str:
        """Rows for each group of recordings and product, then the reasons."""
        rows = [HEAD, tuple("---" for _ in HEAD), *self._rows()]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        reasons = [f"- {name} did not run: {why}." for name, why in self.reasons.items()]
        return "\n".join([*lines, "", *reasons])

    def figures(self) -> list[Figure]:
        """Each product over all recordings that it finished, and its time beside maie's."""
        figures = []
        for name, found in self.found.items():
            if not found:
                continue
            sums = together([each.score for each in found.values()])
            percents = {
                "error": sums.error,
                "missed": sums.missed,
                "false alarm": sums.false_alarm,
                "confusion": sums.confusion,
                "error with collar": sums.collar,
            }
            figures += [
                Figure(name=f"{name}: {what}", value=100 * share, unit="%")
                for what, share in percents.items()
            ]
            figures.append(Figure(name=f"{name}: counts right of {len(found)}", value=sums.counted))
            if name != MAIE and (both := self._both(name)):
                clock = sum(its.seconds for its, _ in both) / sum(own.seconds for _, own in both)
                processors = sum(its.processor_seconds for its, _ in both) / sum(
                    own.processor_seconds for _, own in both
                )
                figures += [
                    Figure(name=f"{name}: its time over maie's", value=clock),
                    Figure(name=f"{name}: its processor time over maie's", value=processors),
                ]
        return figures

    def _both(self, name: str) -> list[tuple[Took, Took]]:
        """What the recordings took that both a product and maie finished here."""
        ours = self.found.get(MAIE, {})
        pairs = [
            (each.took, ours[key].took) for key, each in self.found[name].items() if key in ours
        ]
        return [(its, own) for its, own in pairs if its is not None and own is not None]

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for group, recordings in _groups(self.recordings).items():
            for name, found in self.found.items():
                own = [(each, found[each.name]) for each in recordings if each.name in found]
                if own:
                    yield (group, name, *_cells(own, len(recordings)))


def _groups(recordings: Sequence[Recording]) -> Mapping[str, list[Recording]]:
    groups: dict[str, list[Recording]] = {}
    for recording in recordings:
        groups.setdefault(recording.group, []).append(recording)
    return groups


def _cells(found: Sequence[tuple[Recording, Found]], of: int) -> tuple[str, ...]:
    sums = together([each.score for _, each in found])
    shares = (
        sums.error,
        sums.missed,
        sums.false_alarm,
        sums.confusion,
        sums.collar,
        sums.jaccard,
        sums.wrong_words,
    )
    took = [(recording.seconds, each.took) for recording, each in found if each.took]
    audio = sum(seconds for seconds, _ in took)
    times = (
        sum(each.seconds for _, each in took),
        sum(each.processor_seconds for _, each in took),
    )
    return (
        *("" if share is None else f"{100 * share:.1f} %" for share in shares),
        f"{sums.counted} of {of}" + ("" if len(found) == of else f", {of - len(found)} failed"),
        f"{sums.miscount:.1f}",
        *(f"{seconds / audio:.3f}" if took else "" for seconds in times),
        f"{max(each.peak_mb for _, each in took):.0f} MB" if took else "",
    )
