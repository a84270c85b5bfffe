"""The logs of the parts: rotates them and finds errors in them."""

from __future__ import annotations

import json
from itertools import takewhile
from pathlib import Path

MAX_LOG_BYTES = 50_000_000
KEPT_LOGS = 2
TAIL_BYTES = 64 * 1024
ERROR = "error: "


def rotate(path: Path) -> None:
    """Rotates a log: NAME.log becomes NAME.log.1, and so on; the oldest is deleted."""
    for number in range(KEPT_LOGS, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
        if newer.exists():
            newer.replace(older)


def trim(path: Path) -> None:
    """Truncates a log that grew too long while its part appends to it."""
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        with path.open("r+b") as file:
            file.truncate(0)


def last_error(path: Path) -> str:
    """The last error in a log as one sentence; its last line if there is no error."""
    lines = [line.strip() for line in _tail(path).splitlines() if line.strip()]
    if spoken := _last_sentences(lines):
        return " ".join(spoken)
    for line in reversed(lines):
        if sentence := _error_of(line):
            return sentence
    return lines[-1] if lines else "it wrote nothing into its log"


def _last_sentences(lines: list[str]) -> list[str]:
    """A command's last messages for a person, such as its invalid settings."""
    said = list(takewhile(lambda line: line.startswith(ERROR), reversed(lines)))
    return [line.removeprefix(ERROR) for line in reversed(said)]


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace")


def _error_of(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(entry, dict) or entry.get("level") not in {"error", "critical"}:
        return ""
    return str(entry.get("error") or entry.get("event") or "")
