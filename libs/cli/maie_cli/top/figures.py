"""Figures as people read them at a glance."""

from __future__ import annotations

NOTHING = "-"
MEBIBYTE, GIBIBYTE = 1 << 20, 1 << 30
MINUTE, HOUR, DAY = 60, 3600, 86_400


def age(seconds: float | None) -> str:
    """A time of any length in a few characters, such as "12 s", "3:05" or "2 d 4 h"."""
    if seconds is None:
        return NOTHING
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE}:{whole % MINUTE:02}"
    if whole < DAY:
        return f"{whole // HOUR}:{whole % HOUR // MINUTE:02}:{whole % MINUTE:02}"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def size(count: int) -> str:
    """Bytes, such as "812 MiB" or "3.4 GiB"; `-` for none."""
    if not count:
        return NOTHING
    if count < GIBIBYTE:
        return f"{count / MEBIBYTE:.0f} MiB"
    return f"{count / GIBIBYTE:.1f} GiB"


def share(taken: int, of: int) -> str:
    """So many of so many, such as "2/4"; `-` where there are none."""
    return f"{taken}/{of}" if of or taken else NOTHING


def rate(value: float) -> str:
    """A rate with two digits that matter, such as "0.4", "6.8" or "120"."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
