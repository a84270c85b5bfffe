"""Marked secrets are planted wherever one can be; what parts and commands say is searched."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from maie.access.v1 import access_pb2 as access
from maie_client import Client, ClientError
from maie_core.api_keys import KeyText
from maie_core.settings import MeshSettings, settings_problems
from maie_gateway.readmodel.settings import ReadModelSettings
from maie_gateway.webhooks.settings import WebhookSettings
from maie_summary.settings import SummaryOpenAISettings
from tests.cli.command import maie_at
from tests.gateway.access.conftest import Guarded
from tests.gateway.access.conftest import guarded as guarded
from tests.gateway.conftest import empty_mesh as empty_mesh
from tests.gateway.test_tenancy import ABSENT, recording
from tests.planted_secrets.planting import without_filter
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh

MARK = "Pl4ntedSecret"
NOWHERE = "127.0.0.1:1"
API_KEY = KeyText(key_id="0123456789ab", secret=f"{MARK}{'k' * 30}").text
HOOKS = (
    f'{{"acme": [{{"name": "crm", "url": "https://x.example/", "secret": "{MARK}-webhook-00"}}]}}'
)


def planted(folder: Path) -> dict[str, str]:
    """An environment with a marked secret in every place that takes one."""
    files = {}
    for name in ("bootstrap", "seed", "tls.key", "master"):
        files[name] = folder / name
        files[name].write_text(f"{MARK}-{name}\n")
        files[name].chmod(0o600)
    return {
        **without_filter(folder),
        "MAIE_NATS_URL": f"nats://maie:{MARK}@{NOWHERE}",
        "MAIE_GATEWAY_LISTEN": "127.0.0.1:0",
        "MAIE_API_KEY": API_KEY,
        "MAIE_GATEWAY_READ_MODEL_URL": f"postgresql://maie:{MARK}@{NOWHERE}/maie",
        "MAIE_WEBHOOKS_TENANTS": HOOKS,
        "MAIE_SUMMARY_OPENAI_API_KEY": f"{MARK}-llm",
        "MAIE_ENHANCEMENT_OPENAI_API_KEY": f"{MARK}-llm",
        "AWS_ACCESS_KEY_ID": f"{MARK}id",
        "AWS_SECRET_ACCESS_KEY": f"{MARK}-aws",
        "HF_TOKEN": f"hf_{MARK}",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": f"{MARK}-livekit",
        "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{MARK}",
        "MAIE_LOG_LEVEL": "debug",
        "MAIE_LOG_FORMAT": "json",
        "MAIE_BLOB_URL": f"{folder.as_uri()}/blobs",
    }


async def said(
    module: str, environment: Mapping[str, str], until: str = ""
) -> tuple[int | None, str]:
    """Runs a part until it ends, or has said something; gives its status and all that it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    lines = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for line in process.stdout:
                lines.append(line.decode())
                if until and until in lines[-1]:
                    process.send_signal(signal.SIGTERM)
                    until = ""
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, "".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "until"),
    [
        ("maie_gateway", "broker.waiting"),
        ("maie_preprocess", "broker.waiting"),
        ("maie_gateway.readmodel", "broker.waiting"),
    ],
)
async def test_a_part_that_reaches_no_server_shows_none(
    module: str, until: str, tmp_path: Path
) -> None:
    _, text = await said(module, planted(tmp_path), until)
    assert until in text
    assert NOWHERE in text
    assert MARK not in text


WRONG = {
    "NATS seed": {"MAIE_NATS_NKEY_FILE": "FOLDER/seed"},
    "TLS key": {f"MAIE_TLS_{name}_FILE": "FOLDER/tls.key" for name in ("CERT", "KEY", "CA")},
    "bootstrap key": {"MAIE_GATEWAY_BOOTSTRAP_KEY_FILE": "FOLDER/bootstrap"},
    "database": {"MAIE_GATEWAY_READ_MODEL_URL": f"oracle://maie:{MARK}@x/y"},
    "no database": {"MAIE_GATEWAY_READ_MODEL_URL": f"postgresql://maie:{MARK}@x:port/y"},
    "webhooks": {"MAIE_WEBHOOKS_TENANTS": f'{{"acme": [{{"secret": "{MARK}-webhook-00"}}]}}'},
    "short webhook secret": {"MAIE_WEBHOOKS_TENANTS": HOOKS.replace(f"{MARK}-webhook-00", MARK)},
    "webhooks no JSON": {"MAIE_WEBHOOKS_TENANTS": MARK},
    "both": {"MAIE_NATS_URL_FILE": "FOLDER/seed"},
}


@pytest.mark.slow
@pytest.mark.parametrize("wrong", WRONG)
async def test_a_part_that_is_given_something_wrong_shows_none(wrong: str, tmp_path: Path) -> None:
    changed = {name: text.replace("FOLDER", str(tmp_path)) for name, text in WRONG[wrong].items()}
    code, text = await said("maie_gateway", planted(tmp_path) | changed)
    assert code not in (0, None)
    assert MARK not in text


@pytest.mark.parametrize(
    "command",
    [
        ("jobs", "list"),
        ("audit",),
        ("keys", "list"),
        ("livekit", "room", "--url", f"ws://{NOWHERE}"),
        ("models", "pull", "nothing"),
        ("up", "--nonsense"),
    ],
)
async def test_a_command_that_fails_shows_none(command: tuple[str, ...], tmp_path: Path) -> None:
    environment = planted(tmp_path)
    del environment["PYTHONPATH"]
    ended = await maie_at(NOWHERE, *command, environment=environment, cwd=tmp_path)
    assert ended.code != 0
    assert MARK not in ended.output + ended.errors


async def test_what_a_mesh_answers_and_enters_shows_none(
    guarded: Guarded, capfd: pytest.CaptureFixture[str]
) -> None:
    hook = {"url": "https://127.0.0.1/?token=" + MARK, "secret": f"{MARK}-webhook-00"}
    async with guarded.mesh.gateway() as address, guarded.admin(address) as admin:
        made = await guarded.key(address, "acme")
        async with Client(address, token=made.api_key) as client:
            await client.create_job(recording(), features=["raw_transcript"])
            with pytest.raises(ClientError) as refused:
                await client.create_job(recording(), features=["raw_transcript"], webhooks=[hook])  # type: ignore[list-item]
        with pytest.raises(ClientError) as unknown:
            async with Client(address, token=API_KEY) as stranger:
                await stranger.get_job(ABSENT)
        mesh = await admin.get_mesh()
        request = access.ListAuditEntriesRequest()
        entries = [entry async for entry in admin.audit.entries(request)]
    said_of_all = f"{refused.value!r} {refused.value} {unknown.value} {mesh} {entries}"
    captured = capfd.readouterr()
    for secret in (MARK, guarded.bootstrap, made.api_key):
        assert secret not in said_of_all + captured.out + captured.err


@pytest.mark.unit
def test_a_secret_comes_from_a_file_and_is_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    cases = (
        (MeshSettings, "MAIE_NATS_URL", f"nats://maie:{MARK}@x:4222", "nats_url"),
        (ReadModelSettings, "MAIE_GATEWAY_READ_MODEL_URL", f"postgresql://u:{MARK}@x/y", "url"),
        (WebhookSettings, "MAIE_WEBHOOKS_TENANTS", HOOKS, "tenants"),
        (SummaryOpenAISettings, "MAIE_SUMMARY_OPENAI_API_KEY", MARK, "api_key"),
    )
    for kind, name, value, field in cases:
        monkeypatch.delenv(name, raising=False)
        file.write_text(f"{value}\n")
        monkeypatch.setenv(f"{name}_FILE", str(file))
        settings = kind()
        assert getattr(settings, field)
        assert MARK not in f"{settings!r} {settings}"
        monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError, match="exclude each other"):
            kind()
        monkeypatch.delenv(name)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "none"))
        with pytest.raises(SettingsError) as missing:
            kind()
        assert f"{name}_FILE" in settings_problems(missing.value)[0]
        monkeypatch.delenv(f"{name}_FILE")
    with pytest.raises(ValidationError) as wrong:
        ReadModelSettings(url=f"oracle://u:{MARK}@x/y")
    assert MARK not in f"{wrong.value} {wrong.value!r}"
