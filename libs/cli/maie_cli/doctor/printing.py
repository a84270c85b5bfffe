"""Prints findings, one a line."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rich.text import Text

from maie_cli.console import out, shown
from maie_cli.doctor.finding import Finding, Health
from maie_cli.exits import Exit

STYLES = {
    Health.OK: "green",
    Health.SOON: "yellow",
    Health.NOT_OK: "bold red",
    Health.ABSENT: "yellow",
}
HEALTH_COLUMNS = 6


async def show(findings: AsyncIterator[Finding]) -> Exit:
    """Prints each finding as it comes; FAILED where something is not well."""
    code = Exit.OK
    async for finding in findings:
        _print(finding)
        if finding.health is Health.NOT_OK:
            code = Exit.FAILED
    return code


def _print(finding: Finding) -> None:
    health = Text(finding.health.value.ljust(HEALTH_COLUMNS), style=STYLES[finding.health])
    line = Text.assemble(health, "  ", finding.what)
    if finding.detail:
        line.append(f": {shown(finding.detail)}")
    if finding.mend:
        line.append(f" → {shown(finding.mend)}", style="bold")
    out.print(line, soft_wrap=True)
