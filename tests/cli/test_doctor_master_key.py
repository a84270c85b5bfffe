"""`maie doctor` has the gateway's master key encrypt and decrypt."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie_cli.doctor.engines import master_key
from maie_cli.doctor.finding import Finding, Health
from maie_runtime.vault.key_file import new_line
from tests.gateway.vault.conftest import written
from tests.gateway.vault.kms import CREDENTIALS, kms_server

pytestmark = pytest.mark.mesh


async def found(monkeypatch: pytest.MonkeyPatch, setting: str) -> Finding:
    monkeypatch.setenv("MAIE_GATEWAY_MASTER_KEY", setting)
    finding = await master_key()
    assert finding is not None
    assert finding.what == "master key"
    return finding


async def test_nothing_is_said_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIE_GATEWAY_MASTER_KEY", raising=False)
    assert await master_key() is None


async def test_a_file_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    well = await found(monkeypatch, written(tmp_path / "key", new_line()))
    assert (well.health, well.detail) == (Health.OK, "file: encrypts and decrypts")
    lost = await found(monkeypatch, (tmp_path / "none").as_uri())
    assert (lost.health, lost.detail) == (Health.NOT_OK, "MASTER_KEY_INVALID")
    assert "cannot be read" in lost.mend


async def test_a_key_service_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with kms_server() as kms:
        key = kms.new_key()
        well = await found(monkeypatch, kms.setting(key))
        assert (well.health, well.detail) == (Health.OK, "awskms: encrypts and decrypts")
        kms.client().disable_key(KeyId=key)
        disabled = await found(monkeypatch, kms.setting(key))
        assert (disabled.health, disabled.detail) == (Health.NOT_OK, "MASTER_KEY_DISABLED")
    away = await found(monkeypatch, kms.setting(key))
    assert (away.health, away.detail) == (Health.NOT_OK, "MASTER_KEY_UNAVAILABLE")
