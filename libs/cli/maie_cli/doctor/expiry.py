"""When something expires, as a finding. The limits are those of deploy/observability's alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from maie_cli.doctor.finding import Finding, Health, bad

CERTIFICATE_DAYS = 14
"""A certificate or a CA that expires in fewer days is a warning."""
KEY_DAYS = 7
"""An API key that expires in fewer days is a warning."""


def expiry(what: str, name: str, ends: datetime, *, days: int, mend: str) -> Finding:
    """Judges when something expires.

    Args:
        what: What is looked at.
        name: Which one it is.
        ends: When it expires.
        days: Before its last so many days, all is well.
        mend: What to do when it expires soon, or has expired.
    """
    left = ends - datetime.now(UTC)
    if left <= timedelta():
        return bad(what, f"{name} expired on {_said(ends)}", mend)
    detail = f"{name} expires on {_said(ends)}, in {_span(left)}"
    if left < timedelta(days=days):
        return Finding(what=what, health=Health.SOON, detail=detail, mend=mend)
    return Finding(what=what, detail=detail)


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _span(left: timedelta) -> str:
    hours = int(left.total_seconds() // 3600)
    if left.days >= 2:
        return f"{left.days} days"
    return f"{hours} hours" if hours >= 2 else f"{int(left.total_seconds() // 60)} minutes"
