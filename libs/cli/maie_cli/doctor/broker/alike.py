"""Joins what is found alike of several servers, streams or consumers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from maie_cli.doctor.finding import Finding


def alike(found: Iterable[tuple[str, Finding]]) -> Iterator[Finding]:
    """One finding for all of which the same is found.

    Args:
        found: The findings, each with the name of what it is about.
    """
    names: dict[Finding, list[str]] = {}
    for name, finding in found:
        names.setdefault(finding, []).append(name)
    for finding, all_of_it in names.items():
        yield Finding(
            what=finding.what,
            health=finding.health,
            detail=f"{finding.detail} ({', '.join(all_of_it)})",
            mend=finding.mend,
        )
