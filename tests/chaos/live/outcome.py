"""What came of the sessions of trials."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class LiveOutcome:
    """What came of the sessions of one or more trials, and of their finals.

    Attributes:
        trials: How many trials these are.
        sessions: Sessions whose id was given out.
        finals: The finals of their logs.
        refinements: The refinements of their logs.
        lost: Finals that a client or the ended job lacks, and tracks with fewer words than
            `missing` explains.
        doubled: Finals that came twice.
        changed: Finals with two texts.
        gaps: Sessions whose durable events did not come in order, without a gap.
        stuck: Sessions that did not end, and jobs of sessions that did not complete.
        broken: What else was wrong.
        go_aways: How often a gateway that stopped asked a client to go on at another.
        takeovers: How often a call took a session that another one had.
        cuts: How many times tracks may have been cut in the midst of an utterance: by takeovers,
            and by replicas that stopped.
        words: The words of all tracks where nothing is broken.
        missing: How many words were wrong, missing or too much against that.
        worst: The most of them in a track, for each cut of it, or for one disturbance where
            nothing was cut.
        recovery: Seconds from the fault, or where it lasts from its end, to the next final of
            the session that waited longest.
        wrong: What exactly was wrong, in words.
        not_run: Why no trial could be made; None where one could.
    """

    trials: int = 0
    sessions: int = 0
    finals: int = 0
    refinements: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    gaps: int = 0
    stuck: int = 0
    broken: int = 0
    go_aways: int = 0
    takeovers: int = 0
    cuts: int = 0
    words: int = 0
    missing: int = 0
    worst: float = 0.0
    recovery: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    not_run: str | None = None

    @property
    def well(self) -> bool:
        """Whether every promise was kept."""
        broken = (self.lost, self.doubled, self.changed, self.gaps, self.stuck, self.broken)
        return not any(broken)

    def blame(self, kind: str, session_id: str, why: str) -> None:
        """Counts a broken promise."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.wrong.append(f"{kind}: session {session_id}: {why}")
