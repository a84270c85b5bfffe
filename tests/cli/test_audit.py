"""`maie audit`: who did what, in a terminal and as JSON."""

from __future__ import annotations

import json

import pytest
from rich.cells import cell_len

from maie.access.v1 import access_pb2 as access
from maie_cli.audit_lines import lines_of
from tests.cli.command import maie_at

JOB = "01900000-0000-7000-8000-000000000000"


@pytest.mark.mesh
async def test_the_audit_log_is_listed_and_filtered(gateway: str) -> None:
    made = await maie_at(gateway, "keys", "create", "--scope", "read", "--tenant", "acme")
    key_id = made.output.split("_")[1]
    code, listed, _ = await maie_at(gateway, "audit", "--rpc", "CreateKey")
    assert code == 0
    assert "CreateKey" in listed
    assert f"key {key_id}" in listed
    assert made.output.strip() not in listed
    code, listed, _ = await maie_at(gateway, "audit", "--rpc", "CreateKey", "--json")
    (entry,) = [json.loads(line) for line in listed.splitlines()]
    assert (entry["key_id"], entry["status"], entry["caller_kind"]) == (key_id, "OK", "local")
    code, listed, noted = await maie_at(gateway, "audit", "--rpc", "DeleteJob")
    assert (code, listed) == (0, "")
    assert "no entry matches" in noted
    await maie_at(gateway, "keys", "create", "--scope", "read", "--tenant", "acme")
    code, listed, noted = await maie_at(gateway, "audit", "--rpc", "CreateKey", "--limit", "1")
    assert code == 0
    assert key_id not in listed
    assert "1 earlier entries are not shown" in noted
    code, _, error = await maie_at(gateway, "audit", "--job", "nonsense")
    assert code == 2
    assert "A job id is a UUID" in error


def entry(**fields: object) -> access.AuditEntry:
    made = access.AuditEntry(
        caller_id="key:1f0c2d3e4f5a",
        caller_kind="key",
        tenant="acme",
        peer="ipv4:10.20.30.40:51234",
        action="maie.job.v1.JobService/CancelJob",
        job_id=JOB,
        status="OK",
    )
    made.entry_time.FromSeconds(1_796_000_000)
    made.MergeFrom(access.AuditEntry(**fields))  # type: ignore[arg-type]
    return made


@pytest.mark.unit
@pytest.mark.parametrize("columns", [80, 120])
def test_a_line_of_the_audit_log_fits_its_terminal(columns: int) -> None:
    refused = entry(status="PERMISSION_DENIED", reason="SCOPE_MISSING")
    for each in (entry(), refused, entry(action="a.v1.B/ReplayDeadLetter", letter_id=12)):
        text = lines_of(each, columns).plain
        lines = text.splitlines()
        assert max(map(cell_len, lines)) <= columns, text
        assert len(lines) == 2
        for part in ("key:1f0c2d3e4f5a", JOB, "acme", "10.20.30.40:51234"):
            assert part in text
    assert "SCOPE_MISSING" in lines_of(refused, columns).plain
    flood = access.AuditEntry(action="mesh/CallsNotNoted", caller_kind="mesh", count=1234)
    assert "x1234" in lines_of(flood, columns).plain


@pytest.mark.unit
def test_what_an_entry_holds_cannot_move_the_cursor() -> None:
    assert "\x1b" not in lines_of(entry(caller_id="jwt:\x1b[2J"), 80).plain
