"""Refinements: each of a final before it, the only one, and the same for everybody."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from maie_runtime.bus.session_log import LoggedEntry
from tests.chaos.live.fault import LiveFault, nothing
from tests.chaos.live.journal import Heard
from tests.chaos.live.outcome import LiveOutcome
from tests.chaos.live.processes import frozen, signalled
from tests.chaos.live.speech import TONES
from tests.chaos.live.world import ENHANCEMENT, GATEWAYS

FREEZE_SECONDS = (1.0, 10.0)


def refinements_of(entries: Sequence[LoggedEntry]) -> Mapping[str, str]:
    """The text of each refinement in a session's log, by its utterance."""
    refined = (each.entry.refinement for each in entries if each.entry.HasField("refinement"))
    return {each.utterance_id: each.clean_text for each in refined}


def check_refinements(
    session_id: str, entries: Sequence[LoggedEntry], read: Sequence[Heard], outcome: LiveOutcome
) -> None:
    """Looks at the refinements of a log, and at those that its client read."""
    finals: set[str] = set()
    refined: set[str] = set()
    for each in entries:
        if each.entry.HasField("finished"):
            finals.add(each.entry.finished.final.segment.segment_id)
        if each.entry.HasField("refinement"):
            name = each.entry.refinement.utterance_id
            if name in refined:
                outcome.blame("doubled", session_id, f"its log refines {name} twice")
            if name not in finals:
                outcome.blame("changed", session_id, f"its log refines {name} without a final")
            refined.add(name)
    for name, count in Counter(each.utterance for each in read).items():
        if count > 1:
            outcome.blame("doubled", session_id, f"its client has {name} refined {count} times")
    if {each.utterance: each.text for each in read} != refinements_of(entries):
        outcome.blame("changed", session_id, "its client has other refinements than the log")


def check_clean_text(
    session_id: str, segments: Sequence[Heard], refined: Mapping[str, str], outcome: LiveOutcome
) -> None:
    """Compares the clean text of an ended job with what its client was shown."""
    for each in segments:
        if each.clean != refined.get(each.utterance, each.clean):
            outcome.blame("changed", session_id, f"its job has {each.utterance} written anew")


# In tones, so that all time is left to the enhancement service.
_REFINED: Mapping[str, Any] = {"sounds": (TONES,), "refined": True}
REFINEMENT_FAULTS = (
    signalled("refinements, kill -9 enhancement", (ENHANCEMENT,), signal.SIGKILL, **_REFINED),
    frozen("refinements, freeze enhancement", (ENHANCEMENT,), FREEZE_SECONDS, **_REFINED),
    signalled("refinements, kill -9 gateway", GATEWAYS, signal.SIGKILL, **_REFINED),
    LiveFault(
        name="live: refinements, kill -9 at session.before_refinement",
        happen=nothing,
        environment={"MAIE_FAULT": "session.before_refinement:kill@1"},
        **_REFINED,
    ),
)
