"""Asks databases of known vulnerabilities about every locked package: python -m tools.audit.

Exits with 0 only where every package was looked up and none has a known vulnerability. A database
that cannot be reached, or does not know a package, is said and is no pass: pip-audit by itself
counts a package that it could not look up as one without vulnerabilities.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LOCKS = Path("locks")
_PIN = re.compile(r"^([a-z0-9_.-]+)==", re.MULTILINE)
PIP_AUDIT = Path(".venv-audit/bin/pip-audit")
NPM = ("npm", "audit", "--json")
# The second is asked where the first does not answer: an index other than PyPI has no database.
SERVICES = ("pypi", "osv")
SHOWN = 5
MOST_CHARACTERS = 120
OK, VULNERABLE, UNKNOWN = 0, 1, 2


@dataclass(kw_only=True, frozen=True, slots=True)
class Audit:
    """What came of asking about some packages.

    Attributes:
        what: What was asked about.
        looked_up: How many packages a database knew.
        unknown: Those that no database answered about.
        vulnerable: A line for each known vulnerability.
        problem: Why no database could be asked; empty where one was.
    """

    what: str
    looked_up: int = 0
    unknown: tuple[str, ...] = ()
    vulnerable: tuple[str, ...] = ()
    problem: str = ""

    @property
    def status(self) -> int:
        """The exit code."""
        if self.vulnerable:
            return VULNERABLE
        return UNKNOWN if self.problem or self.unknown or not self.looked_up else OK

    def lines(self) -> Iterator[str]:
        """The audit in words."""
        verdict = {OK: "✓", VULNERABLE: "✗", UNKNOWN: "?"}[self.status]
        yield (
            f"{verdict} {self.what}: {self.looked_up} looked up, {len(self.vulnerable)} known "
            f"vulnerabilities, {len(self.unknown)} not looked up"
        )
        yield from (f"    {line}" for line in self.vulnerable)
        if self.problem:
            yield f"    no database could be asked: {self.problem}"
        elif self.unknown:
            more = ", …" if len(self.unknown) > SHOWN else ""
            yield f"    no database answered about {', '.join(self.unknown[:SHOWN])}{more}"


def of_python(answer: str, what: str) -> Audit:
    """Reads the JSON of pip-audit."""
    found = json.loads(answer)["dependencies"]
    audited = [each for each in found if "skip_reason" not in each]
    return Audit(
        what=what,
        looked_up=len(audited),
        unknown=tuple(each["name"] for each in found if "skip_reason" in each),
        vulnerable=tuple(
            f"{each['name']} {each['version']}: {vulnerability['id']}"
            f" (mended in {', '.join(vulnerability['fix_versions']) or 'no release'})"
            for each in audited
            for vulnerability in each["vulns"]
        ),
    )


def of_node(answer: str, what: str) -> Audit:
    """Reads the JSON of npm audit."""
    found = json.loads(answer or "{}")
    if "vulnerabilities" not in found:
        problem = found.get("message") or "npm gave no answer"
        return Audit(what=what, problem=problem)
    return Audit(
        what=what,
        looked_up=found["metadata"]["dependencies"]["total"],
        vulnerable=tuple(
            f"{name}: {each['severity']}" for name, each in found["vulnerabilities"].items()
        ),
    )


def audit_python(lock: Path) -> Audit:
    """Asks one database after another about a lock; the best answer counts."""
    best = Audit(
        what=str(lock), unknown=tuple(_PIN.findall(lock.read_text())), problem="pip-audit failed"
    )
    for service in SERVICES:
        output, errors = _run(
            str(PIP_AUDIT),
            *("--disable-pip", "--require-hashes", "--progress-spinner", "off"),
            *("--vulnerability-service", service, "--format", "json", "-r", str(lock)),
        )
        try:
            answer = of_python(output, str(lock))
        except ValueError:
            best = best if best.looked_up else _failed(best, service, errors)
            continue
        if answer.status != UNKNOWN:
            return answer
        if answer.looked_up >= best.looked_up:
            best = answer
    return best


def _failed(best: Audit, service: str, errors: str) -> Audit:
    last = (errors.strip().splitlines() or ["it said nothing"])[-1]
    return Audit(
        what=best.what, unknown=best.unknown, problem=f"{service}: {last[:MOST_CHARACTERS]}"
    )


def audit_node() -> Audit:
    """Asks npm's database about package-lock.json."""
    try:
        output, _ = _run(*NPM)
    except FileNotFoundError:
        return Audit(what="package-lock.json", problem="npm is not installed")
    return of_node(output, "package-lock.json")


def report(audits: Iterable[Audit]) -> int:
    """Prints the audits; gives the worst exit code."""
    statuses: set[int] = set()
    for audit in audits:
        print("\n".join(audit.lines()), flush=True)
        statuses.add(audit.status)
    if VULNERABLE in statuses:
        return VULNERABLE
    if UNKNOWN in statuses:
        print("Not everything was looked up: this is no statement about what was not.")
        return UNKNOWN
    return OK


def _run(*command: str) -> tuple[str, str]:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.stdout, ended.stderr


def main(locks: Sequence[Path]) -> int:
    """Audits the locks, and npm's."""
    return report([*map(audit_python, locks), audit_node()])


if __name__ == "__main__":
    pinned = [path for path in sorted(LOCKS.glob("*.txt")) if _PIN.search(path.read_text())]
    sys.exit(main(pinned))
