"""Entries of the audit log in a terminal: what happened in one line, and what it was about."""

from __future__ import annotations

from rich.text import Text

from maie.access.v1 import access_pb2 as access
from maie_formats.clean import plain

WIDE = 116
"""From so many columns on, the first line also says for which tenant and from where."""
_STYLES = {"OK": "green", "UNAUTHENTICATED": "yellow", "PERMISSION_DENIED": "yellow"}


def lines_of(entry: access.AuditEntry, columns: int) -> Text:
    """An entry for a terminal of so many columns; nothing of it is left out."""
    time = f"{entry.entry_time.ToDatetime():%Y-%m-%d %H:%M:%S}"
    who = plain(entry.caller_id or entry.caller_kind or "?")
    outcome = (f"{_outcome(entry):19}", _STYLES.get(entry.status, "red"))
    text = Text.assemble((time, "dim"), f"  {who:18}  {_action(entry):16}  ", outcome)
    more = [_about(entry)]
    if columns >= WIDE:
        text.append(f"  {plain(entry.tenant):12}  {_address(entry)}")
    else:
        more += [plain(entry.tenant), _address(entry)]
    text.rstrip()
    if any(more):
        text.append(f"\n  {'  '.join(filter(None, more))}", style="dim")
    return text


def _action(entry: access.AuditEntry) -> str:
    return plain(entry.action.rpartition("/")[2])


def _outcome(entry: access.AuditEntry) -> str:
    outcome = plain(entry.reason or entry.status)
    return f"{outcome} x{entry.count}" if entry.count else outcome


def _about(entry: access.AuditEntry) -> str:
    """What an entry is about, in words."""
    named = (
        ("job", plain(entry.job_id)),
        ("key", plain(entry.key_id)),
        ("letter", str(entry.letter_id or "")),
        ("share", entry.share_id),
        ("voice", entry.voice_id),
        ("tenant", plain(entry.about_tenant)),
    )
    return " ".join(f"{kind} {name}" for kind, name in named if name)


def _address(entry: access.AuditEntry) -> str:
    """Where the call came from, without the kind of the address."""
    return plain(entry.peer.partition(":")[2])
