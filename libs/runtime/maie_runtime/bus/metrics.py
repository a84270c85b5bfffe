"""What a process measures of its connection to the broker."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie_core.recent_count import RecentCount
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects

_OTHER_LETTERS = ("webhook", "event", "record", "session", "final")
_DEAD = subjects.dead_letter("", "").partition("..")[0]


class Failed(enum.StrEnum):
    """What failed."""

    CONNECTION = "connection"
    """The connection was lost."""
    CLIENT = "client"
    """The client reported an error, such as a refused right or a failed attempt to connect."""
    PUBLISH = "publish"
    """The broker did not store a message at the first attempt."""


class BrokerMetrics:
    """The instruments of one connection.

    Args:
        meter: Makes them.
        connected: Whether the server answers right now.

    Attributes:
        recent: The errors of the last minutes.
    """

    def __init__(self, meter: Meter, connected: Callable[[], bool]) -> None:
        self.recent = RecentCount()
        self._errors = meter.create_counter(
            "maie.broker.errors",
            unit="{error}",
            description="Errors of the broker, by what failed: the connection, the client or a "
            "publish.",
        )

        self._letters = meter.create_counter(
            "maie.dead_letters",
            unit="{letter}",
            description="Dead letters that this process stored, by what they are of: a stage's "
            "unit, or `webhook`, `event`, `record`, `session` or `final`.",
        )

        def observe(_: CallbackOptions) -> Iterator[Observation]:
            yield Observation(int(connected()))

        meter.create_observable_gauge(
            "maie.broker.connected",
            [observe],
            description="1 while the process is connected to the broker, else 0.",
        )
        for letter in (*BINDINGS, *_OTHER_LETTERS):
            self._letters.add(0, {"kind": letter})
        for kind in Failed:
            # A counter that is absent until its first error has no rate for it.
            self._errors.add(0, {"kind": kind.value})

    def stored(self, subject: str) -> None:
        """Counts a message that was stored, where it is a dead letter."""
        if subject.startswith(_DEAD):
            self._letters.add(1, {"kind": subjects.stage_of_event(subject)})

    def failed(self, kind: Failed) -> None:
        """Counts an error."""
        self.recent.note()
        self._errors.add(1, {"kind": kind.value})
