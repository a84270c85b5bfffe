"""What a fault is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.world import Setup, Store, World

Break = Callable[[World], Awaitable[str | None]]


def nothing_missing() -> str | None:
    """Says that nothing is missing."""
    return None


async def nothing_to_do(_: World) -> str | None:
    """Finds nothing to do and nothing wrong."""
    return None


@dataclass(kw_only=True, frozen=True, slots=True)
class Fault:
    """One way to break a mesh.

    Attributes:
        name: What is broken and how.
        happen: Breaks it at the instant of the call, and mends it; gives what was
            wrong, where something was that the jobs' own checks cannot see.
        afterwards: What a person does once it is mended; gives what was wrong.
        setup: A mesh of its own, where it needs one.
        store: The only object store that it can break: None where it breaks something
            else.
        missing: Why it cannot happen on this machine; None where it can.
    """

    name: str
    happen: Break
    afterwards: Break = nothing_to_do
    setup: Setup | None = None
    store: Store | None = None
    missing: Callable[[], str | None] = nothing_missing
