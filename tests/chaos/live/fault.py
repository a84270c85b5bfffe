"""What a fault of live sessions is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.fault import nothing_missing
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import LiveWorld

Break = Callable[[LiveWorld, Sequence[Talk]], Awaitable[str | None]]


@dataclass(kw_only=True, frozen=True, slots=True)
class LiveFault:
    """One way to break live sessions.

    Attributes:
        name: What is broken and how.
        happen: Breaks it at the instant of the call, and mends it; gives what was wrong, where
            something was that the sessions' own checks cannot see.
        sessions: How many sessions there are meanwhile.
        rounds: How often each says its script.
        cuts: How often a replica ends a track's utterance because it stops, at most.
        apart: Whether their clients are processes of their own.
        on_small_disk: Whether it needs a mesh of its own whose broker is on a small disk.
        environment: Settings of a mesh of its own.
        missing: Why it cannot happen on this machine; None where it can.
    """

    name: str
    happen: Break
    sessions: int = 2
    rounds: int = 1
    cuts: int = 0
    apart: bool = False
    on_small_disk: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: Callable[[], str | None] = nothing_missing

    @property
    def has_own_mesh(self) -> bool:
        """Whether it needs a mesh of its own."""
        return self.on_small_disk or bool(self.environment)
