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
    "memory",
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Found:
    """What a product made of a recording.

    Attributes:
        score: Its errors.
        seconds: How long it took by the clock; None where it ran elsewhere.
        peak_mb: The most memory meanwhile; None where it ran elsewhere.
    """

    score: Score
    seconds: float | None = None
    peak_mb: float | None = None


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
            if name != MAIE and (ratio := self._time_ratio(name)) is not None:
                figures.append(Figure(name=f"{name}: its time over maie's", value=ratio))
        return figures

    def _time_ratio(self, name: str) -> float | None:
        """A product's time over maie's, for the recordings that both finished."""
        pairs = [
            (each.seconds, self.found[MAIE][recording].seconds)
            for recording, each in self.found[name].items()
            if recording in self.found.get(MAIE, {})
        ]
        timed = [(its, ours) for its, ours in pairs if its is not None and ours is not None]
        return sum(its for its, _ in timed) / sum(ours for _, ours in timed) if timed else None

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
    timed = [(each.seconds, recording.seconds) for recording, each in found if each.seconds]
    peaks = [each.peak_mb for _, each in found if each.peak_mb]
    return (
        *("" if share is None else f"{100 * share:.1f} %" for share in shares),
        f"{sums.counted} of {of}" + ("" if len(found) == of else f", {of - len(found)} failed"),
        f"{sums.miscount:.1f}",
        f"{sum(its for its, _ in timed) / sum(long for _, long in timed):.3f}" if timed else "",
        f"{max(peaks):.0f} MB" if peaks else "",
    )
