"""The gaps in a recording, and the warnings about them. Runs in the decoder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from maie_core.reasons import WarningReason
from maie_preprocess.wire import RecordingWarning

# A shorter gap needs no warning.
MIN_GAP_SECONDS: Final = 0.5
# Gaps that are closer together count as one.
MERGE_SECONDS: Final = 0.5
# The most warnings about gaps; the last of them covers all further gaps.
MAX_WARNINGS: Final = 20


@dataclass(kw_only=True, slots=True)
class Gap:
    """A part of the timeline in which sound is missing.

    Attributes:
        start_seconds: Its start.
        end_seconds: Its end.
        missing_seconds: The length of the missing sound; 0 if unknown.
        damaged: Whether packets in it could not be decoded.
    """

    start_seconds: float
    end_seconds: float
    missing_seconds: float
    damaged: bool


class Gaps:
    """The gaps of a recording, in time order."""

    def __init__(self) -> None:
        self._all: list[Gap] = []

    def add(self, start_seconds: float, missing_seconds: float, *, damaged: bool = False) -> None:
        """Records a gap that begins at the end of the last one or later."""
        end = start_seconds + missing_seconds
        last = self._all[-1] if self._all else None
        if last is None or start_seconds - last.end_seconds > MERGE_SECONDS:
            self._all.append(
                Gap(
                    start_seconds=start_seconds,
                    end_seconds=end,
                    missing_seconds=missing_seconds,
                    damaged=damaged,
                )
            )
            return
        last.end_seconds = max(last.end_seconds, end)
        last.missing_seconds += missing_seconds
        last.damaged = last.damaged or damaged

    def warnings(self) -> list[RecordingWarning]:
        """One warning for each relevant gap, and one for all beyond the limit."""
        worth = [gap for gap in self._all if gap.damaged or gap.missing_seconds >= MIN_GAP_SECONDS]
        if len(worth) <= MAX_WARNINGS:
            return [_warning(gap) for gap in worth]
        first, rest = worth[: MAX_WARNINGS - 1], worth[MAX_WARNINGS - 1 :]
        return [*map(_warning, first), _summary(rest)]


def _warning(gap: Gap) -> RecordingWarning:
    where = _where(gap.start_seconds, gap.end_seconds)
    metadata: dict[str, float] = {}
    if gap.damaged:
        message = f"The file is damaged {where}; the damaged parts are replaced by silence."
    elif gap.missing_seconds < 0.9 * (gap.end_seconds - gap.start_seconds):
        message = (
            f"The recording lacks {gap.missing_seconds:.1f} s of audio {where}; "
            "they are replaced by silence."
        )
        metadata["missing_seconds"] = gap.missing_seconds
    else:
        message = f"The recording has no audio {where}; the gap is replaced by silence."
    return RecordingWarning(
        reason=WarningReason.DAMAGED if gap.damaged else WarningReason.GAP,
        message=message,
        start_seconds=gap.start_seconds,
        end_seconds=gap.end_seconds,
        metadata=metadata,
    )


def _summary(rest: Iterable[Gap]) -> RecordingWarning:
    rest = list(rest)
    start, end = rest[0].start_seconds, rest[-1].end_seconds
    missing = sum(gap.missing_seconds for gap in rest)
    return RecordingWarning(
        reason=WarningReason.DAMAGED if any(gap.damaged for gap in rest) else WarningReason.GAP,
        message=f"The recording has {len(rest)} more gaps {_where(start, end)}, {missing:.1f} s "
        "in total; they are replaced by silence.",
        start_seconds=start,
        end_seconds=end,
        metadata={"gaps": len(rest), "missing_seconds": missing},
    )


def _where(start: float, end: float) -> str:
    return f"at {clock(start)}" if end - start < 0.1 else f"from {clock(start)} to {clock(end)}"


def clock(seconds: float) -> str:
    """Formats a time as a player does, such as 1:02:03.4."""
    tenths = round(seconds * 10)
    hours, minutes = tenths // 36_000, tenths // 600 % 60
    rest = f"{tenths // 10 % 60:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{rest}" if hours else f"{minutes}:{rest}"
