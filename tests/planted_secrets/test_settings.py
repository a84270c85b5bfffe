"""Settings: how they are printed, where their secrets come from, and what errors say of them."""

from __future__ import annotations

import copy
import json
import traceback
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_settings import SettingsError
from rich.pretty import pretty_repr

from maie_core.redaction import SHOWN, environment_redactor
from maie_core.settings import MeshSettings, Settings, load_settings, settings_problems
from maie_gateway.access.token_settings import TokenSettings
from maie_gateway.readmodel.settings import ReadModelSettings
from maie_gateway.webhooks.settings import TenantWebhook
from maie_summary.settings import SummaryOpenAISettings
from tests.planted_secrets.planting import (
    NOWHERE,
    SHAPES,
    Planted,
    new_secret,
    plant,
    secret_settings,
    settings_classes,
)

pytestmark = pytest.mark.unit

CLASSES = list(dict.fromkeys(settings_classes()))


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Secrets in this process's variables."""
    made = plant()
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


def test_the_secrets_are_those_that_are_known() -> None:
    """A setting that the walk loses would show; a new one is covered by itself."""
    assert set(secret_settings()) >= {
        "MAIE_NATS_URL",
        "MAIE_GATEWAY_READ_MODEL_URL",
        "MAIE_GATEWAY_MASTER_KEY",
        "MAIE_WEBHOOKS_TENANTS",
        "MAIE_ENHANCEMENT_OPENAI_API_KEY",
        "MAIE_SUMMARY_OPENAI_API_KEY",
    }


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_settings_are_printed_without_their_secrets(kind: type[Settings], planted: Planted) -> None:
    settings = kind()
    printed = [repr(settings), str(settings), f"{settings!r:>9}", repr(copy.deepcopy(settings))]
    printed += [str(settings.model_dump()), settings.model_dump_json()]
    printed += [settings.model_dump_json(indent=1), pretty_repr(settings)]
    assert not planted.shown_in("\n".join(printed))
    own = {field for found, field in secret_settings().values() if found is kind}
    for field in own:
        assert f"{field}='{SHOWN}'" in repr(settings)
        assert settings.model_dump()[field] == SHOWN


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_traceback_with_local_variables_shows_no_secret(
    kind: type[Settings], planted: Planted
) -> None:
    def fail() -> None:
        settings = kind()
        raise RuntimeError(f"the settings are {settings}")

    with pytest.raises(RuntimeError) as raised:
        fail()
    shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    text = "".join(shown.format())
    assert "settings = " in text
    assert not planted.shown_in(text)


@pytest.mark.parametrize("name", secret_settings())
def test_each_secret_comes_from_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, field = secret_settings()[name]
    secret, file = new_secret(name), tmp_path / "secret"
    value = SHAPES.get(name, str)(secret)
    monkeypatch.setenv(name, value)
    of_variable = getattr(kind(), field)
    monkeypatch.delenv(name)
    file.write_text(f"{value}\n")
    monkeypatch.setenv(f"{name}_FILE", str(file))
    assert getattr(kind(), field) == of_variable
    assert secret not in repr(kind())

    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="exclude each other") as both:
        kind()
    assert secret not in str(both.value)
    monkeypatch.delenv(name)
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsError) as missing:
        kind()
    assert f"{name}_FILE" in settings_problems(missing.value)[0]


@pytest.mark.parametrize("name", secret_settings())
def test_each_secret_is_known_to_what_redacts_logs(name: str, tmp_path: Path) -> None:
    secret, file = new_secret(name), tmp_path / "secret"
    file.write_text(SHAPES.get(name, str)(secret))
    for variables in ({name: file.read_text()}, {f"{name}_FILE": str(file)}):
        redact = environment_redactor(variables)
        assert redact(f"it is {secret}, {json.dumps([secret])}") == f'it is {SHOWN}, ["{SHOWN}"]'


@pytest.mark.parametrize("name", secret_settings())
def test_a_value_of_another_kind_is_not_repeated(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = new_secret()
    kind, _ = secret_settings()[name]
    refused = 0
    for value in (f"[{secret}", f'{{"a": "{secret}"', f"ftp://{secret}@x/{secret}", f"é\n{secret}"):
        monkeypatch.setenv(name, value)
        try:
            load_settings(kind)
        except SystemExit:
            refused += 1
        said = capsys.readouterr().err
        assert secret not in said
        assert (name in said) == bool(said)
    # A master key may be anything here: a gateway says at its start that nothing serves it.
    # A provider's secret may be anything as well.
    assert refused or name.endswith(("_MASTER_KEY", "_CLIENT_SECRET"))


MASKED: dict[str, tuple[type[Settings], str, str]] = {
    "nats: scheme": (MeshSettings, "nats_url", f"http://maie:{{}}@{NOWHERE}"),
    "nats: path": (MeshSettings, "nats_url", f"nats://maie:pass/{{}}@{NOWHERE}"),
    "nats: fragment": (MeshSettings, "nats_url", f"nats://maie:pass#{{}}@{NOWHERE}"),
    "nats: port": (MeshSettings, "nats_url", "nats://maie:{0}@127.0.0.1:{0}"),
    "nats: no host": (MeshSettings, "nats_url", "nats://maie:{}"),
    "nats: query": (MeshSettings, "nats_url", f"nats://{NOWHERE}/?token={{}}"),
    "nats: comma": (MeshSettings, "nats_url", f"nats://maie:pass,{{}}@{NOWHERE}"),
    "nats: letters": (MeshSettings, "nats_url", f"nats://maie:\u2100{{}}@{NOWHERE}"),
    "nats: second": (MeshSettings, "nats_url", f"nats://a:{{}}@{NOWHERE},nats://b:{{}}@[::1"),
    "blob: password": (MeshSettings, "blob_url", "s3://maie:{}@bucket/prefix"),
    "blob: user": (MeshSettings, "blob_url", "s3://{}@bucket/prefix"),
    "blob: query": (MeshSettings, "blob_url", "s3://bucket/prefix?secret={}"),
    "blob: no URL": (MeshSettings, "blob_url", "{}"),
    "blob: letters": (MeshSettings, "blob_url", "s3://maie:\u2100{}@bucket"),
    "database: scheme": (ReadModelSettings, "url", f"oracle://maie:{{}}@{NOWHERE}/maie"),
    "database: port": (ReadModelSettings, "url", "postgresql://maie:{0}@127.0.0.1:{0}/maie"),
    "database: no URL": (ReadModelSettings, "url", "{}"),
    "keys: scheme": (TokenSettings, "jwks_url", "ftp://maie:{}@issuer.example/keys"),
    "keys: password": (TokenSettings, "jwks_url", "https://maie:{}@issuer.example/keys"),
    "keys: letters": (TokenSettings, "jwks_url", "https://maie:\u2100{}@issuer.example/keys"),
    "model: password": (SummaryOpenAISettings, "base_url", "http://maie:{}@127.0.0.1/v1"),
    "model: query": (SummaryOpenAISettings, "base_url", "http://127.0.0.1/v1?key={}"),
    "model: letters": (SummaryOpenAISettings, "base_url", "http://maie:\u2100{}@127.0.0.1/v1"),
}


@pytest.mark.parametrize("case", MASKED)
def test_a_wrong_url_is_a_sentence_with_its_secret_masked(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, field, shape = MASKED[case]
    name = f"{kind.model_config.get('env_prefix')}{field}".upper()
    secret = new_secret()
    monkeypatch.setenv(name, shape.format(secret, secret))
    with pytest.raises(SystemExit) as ended:
        load_settings(kind)
    (said,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert said.startswith(f"error: {name}: ")
    assert SHOWN in said
    assert secret not in said
    with pytest.raises(ValidationError) as raised:
        kind()
    assert secret not in f"{raised.value} {raised.value!r}"


@pytest.mark.parametrize(
    "url",
    [
        "nats://127.0.0.1:4222",
        "tls://maie:p%2Fw@nats-0:4222,tls://maie:p%2Fw@nats-1:4222",
        "nats://[::1]:4222/",
        "nats:4222",
        "localhost",
        "wss://nats.example",
        "nats://token@nats",
    ],
)
def test_every_url_that_nats_takes_is_taken(url: str) -> None:
    assert MeshSettings(nats_url=url).nats_url == url


def test_a_receiver_is_printed_without_its_url_and_secret() -> None:
    secret = new_secret()
    hook: BaseModel = TenantWebhook.model_validate(
        {"name": "crm", "url": f"https://x.example/?token={secret}", "secret": secret}
    )
    assert secret not in f"{hook!r} {hook}"
