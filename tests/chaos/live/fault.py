"""What a fault of live sessions is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.fault import nothing_missing
from tests.chaos.live.speech import SAMPLES, TONE_SOUNDS
from tests.chaos.live.talks import Talk
from tests.chaos.live.world import ENHANCEMENT, SUMMARY, LiveWorld

Break = Callable[[LiveWorld, Sequence[Talk]], Awaitable[str | None]]
# A fault that is not over by then does not end.
STUCK_SECONDS = 180.0


async def nothing(_: LiveWorld, __: Sequence[Talk]) -> None:
    """Breaks nothing."""


@dataclass(kw_only=True, frozen=True, slots=True)
class LiveFault:
    """One way to break live sessions.

    Attributes:
        name: What is broken and how.
        happen: Breaks it at the instant of the call, and mends it; gives what was wrong, where
            something was that the sessions' own checks cannot see.
        afterwards: Looks at what it left, once the sessions have ended; gives what was wrong.
        sessions: How many sessions there are meanwhile.
        tracks: The fewest and the most tracks of each.
        sounds: How their speech is sent, by chance.
        lasts: Whether they speak until it is over; otherwise they say their script once.
        longest: How long it may take, in seconds.
        in_order: Whether gateways stop in order: a client that resumes got `go_away` before.
        receiver: Whether somebody receives their finals.
        refined: Whether the sessions have their finals refined, by a real enhancement service.
        summarised: Whether their clients wait for a summary, by a real summary service.
        cuts: How often a replica ends a track's utterance because it stops, at most.
        apart: Whether their clients are processes of their own.
        on_small_disk: Whether it needs a mesh of its own whose broker is on a small disk.
        environment: Settings of a mesh of its own.
        missing: Why it cannot happen on this machine; None where it can.
    """

    name: str
    happen: Break
    afterwards: Break = nothing
    sessions: int = 2
    tracks: tuple[int, int] = (2, 4)
    sounds: tuple[str, ...] = (SAMPLES,)
    lasts: bool = False
    longest: float = STUCK_SECONDS
    in_order: bool = False
    receiver: bool = False
    refined: bool = False
    summarised: bool = False
    cuts: int = 0
    apart: bool = False
    on_small_disk: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    missing: Callable[[], str | None] = nothing_missing

    @property
    def has_own_mesh(self) -> bool:
        """Whether it needs a mesh of its own."""
        return self.on_small_disk or self.in_tones or bool(self.real) or bool(self.environment)

    @property
    def real(self) -> Sequence[str]:
        """The stages after ASR whose services are real ones in its mesh."""
        wanted = {ENHANCEMENT: self.refined or self.summarised, SUMMARY: self.summarised}
        return [stage for stage, real in wanted.items() if real]

    @property
    def in_tones(self) -> bool:
        """Whether its sessions are heard by an engine that costs next to nothing."""
        return not TONE_SOUNDS.isdisjoint(self.sounds)
