"""What came of live sessions, as a table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from rich import box
from rich.table import Table

from tests.chaos.live.outcome import LiveOutcome

LATE = 0.99


def live_table(outcomes: Mapping[str, LiveOutcome], seed: int) -> Table:
    """A row for each fault."""
    table = Table(
        "fault", "trials", "sessions", "finals", "refined", "lost", "doubled", "changed", "gaps",
        "stuck", "broken", "go away", "taken over", "words", "differ", "worst", "recovery p50",
        "p99",
        box=box.SIMPLE_HEAD, title=f"chaos of live sessions, seed {seed}",
    )  # fmt: skip
    for name, outcome in outcomes.items():
        if outcome.not_run:
            table.add_row(name, "not run", style="yellow")
        elif outcome.trials:
            table.add_row(name, *_cells(outcome), style="" if outcome.well else "bold red")
    return table


def _cells(outcome: LiveOutcome) -> list[str]:
    counts = (
        outcome.trials, outcome.sessions, outcome.finals, outcome.refinements, outcome.lost,
        outcome.doubled, outcome.changed, outcome.gaps, outcome.stuck, outcome.broken,
        outcome.go_aways, outcome.takeovers,
        outcome.words, outcome.missing,
    )  # fmt: skip
    cells = [*map(str, counts), f"{outcome.worst:.1f}"]
    if not outcome.recovery:
        return [*cells, "-", "-"]
    waits = sorted(outcome.recovery)
    late = waits[min(len(waits) - 1, int(len(waits) * LATE))]
    return [*cells, f"{statistics.median(waits):.1f} s", f"{late:.1f} s"]
