"""`maie keys`, and commands that show a key."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from maie_cli.mesh.key import key_of
from maie_cli.mesh.layout import Layout
from maie_cli.mesh.options import MeshOptions
from maie_cli.mesh.parts import Part, plan
from maie_client import Client, ClientError
from maie_core.api_keys import parse_key
from maie_gateway.access.key_callers import BootstrapKey
from tests.cli.command import Ended, maie_at

pytestmark = pytest.mark.mesh


async def maie(gateway: str, *arguments: str, **environment: str) -> Ended:
    return await maie_at(gateway, *arguments, environment=environment)


async def test_a_key_is_made_used_rotated_and_revoked(gateway: str, tmp_path: Path) -> None:
    user = ("--scope", "submit", "--scope", "read")
    code, printed, noted = await maie(
        gateway, "keys", "create", *user, "--tenant", "acme", "--name", "nightly", "--days", "90"
    )
    assert code == 0
    key = parse_key(printed.strip())
    assert key
    assert key.key_id in noted
    assert "not shown again" in noted
    assert key.secret not in noted

    code, listed, _ = await maie(gateway, "keys", "list", "--json", "--tenant", "acme")
    (shown,) = [json.loads(line) for line in listed.splitlines()]
    assert code == 0
    assert shown["key_id"] == key.key_id
    assert shown["scopes"] == ["SUBMIT", "READ"]
    code, table, _ = await maie(gateway, "keys", "list")
    assert code == 0
    assert "nightly" in table
    assert key.secret not in listed + table

    file = tmp_path / "key"
    code, printed, _ = await maie(gateway, "keys", "rotate", key.key_id, "--output", str(file))
    assert (code, printed) == (0, f"{key.key_id}\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for environment in ({"MAIE_API_KEY_FILE": str(file)}, {"MAIE_API_KEY": key.text}):
        assert (await maie(gateway, "jobs", "list", **environment))[0] == 0
        code, _, error = await maie(gateway, "keys", "list", **environment)
        assert code == 1
        assert "needs the scope admin" in error
    code, _, error = await maie(gateway, "keys", "rotate", key.key_id, "--output", str(file))
    assert code == 2
    assert "exists" in error.lower()

    code, printed, _ = await maie(gateway, "keys", "revoke", key.key_id)
    assert (code, printed) == (0, f"{key.key_id} is revoked\n")
    code, printed, error = await maie(gateway, "jobs", "list", MAIE_API_KEY_FILE=str(file))
    assert (code, printed, error.count("\n")) == (1, "", 1)
    assert "is unknown, revoked or damaged" in error
    assert file.read_text().strip() not in error


async def test_a_missing_key_file_is_one_line(gateway: str, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    code, printed, error = await maie(gateway, "jobs", "list", MAIE_API_KEY_FILE=str(missing))
    assert (code, printed) == (2, "")
    assert error == f"error: There is no file {missing}\n"


async def test_a_bootstrap_key_is_for_its_owner_only(gateway: str, tmp_path: Path) -> None:
    file = tmp_path / "bootstrap"
    code, printed, _ = await maie(gateway, "keys", "bootstrap", str(file))
    assert (code, printed) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert parse_key(file.read_text().strip())
    assert (await maie(gateway, "keys", "bootstrap", str(file)))[0] == 2


def gateway_of(layout: Layout, listen: str = "") -> Part:
    return plan(MeshOptions(data=layout.root, port_base=0, listen=listen), layout)[-1]


@pytest.mark.unit
def test_where_the_kernel_does_not_say_who_calls_a_local_mesh_has_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIE_GATEWAY_BOOTSTRAP_KEY_FILE", raising=False)
    layout = Layout(tmp_path / "data")
    layout.create()
    key = layout.run / "key"
    monkeypatch.setattr("maie_cli.mesh.key.can_say", lambda: True)
    assert key_of(gateway_of(layout)) is None
    assert not key.exists()
    monkeypatch.setenv("MAIE_GATEWAY_PLAINTEXT", "behind-a-proxy")
    assert key_of(gateway_of(layout, "0.0.0.0")) == key
    text = key.read_text()
    monkeypatch.setattr("maie_cli.mesh.key.can_say", lambda: False)
    assert key_of(gateway_of(layout)) == key
    assert key.read_text() == text
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert BootstrapKey(key)


@pytest.mark.unit
async def test_a_key_is_not_sent_where_others_could_read_it() -> None:
    with pytest.raises(ClientError) as refused:
        async with Client("gateway.example:50051", token="maie_secret"):
            pass
    assert refused.value.reason == "TOKEN_UNPROTECTED"
    assert "maie_secret" not in str(refused.value)
    async with Client("https://gateway.example:50051", token="maie_secret"):
        pass
