"""What is out of reach, or refuses: stores, models, databases and proxies, each with a secret."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from maie_core.errors import StageError
from maie_core.redaction import SHOWN, environment_redactor
from maie_gateway.readmodel.model import open_read_model
from maie_gateway.vault.master_key import open_master_key
from maie_runtime.blobs import Blobs
from tests.cli import command
from tests.cli.command import Ended
from tests.planted_secrets.planting import NOWHERE, Planted, new_secret, plant

pytestmark = pytest.mark.mesh


@contextmanager
def repeating_server(status: int) -> Iterator[str]:
    """A server that refuses every request, and repeats the whole of it; gives its HOST:PORT."""

    class Repeats(BaseHTTPRequestHandler):
        def refuse(self) -> None:
            said = f'{{"error": {{"message": "{self.path} {str(self.headers)!r}"}}}}'.encode()
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_HEAD = refuse  # noqa: N815 - the names of HTTP

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Repeats) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


async def doctor(planted: Planted, folder: Path, **variables: str) -> Ended:
    """Runs `maie doctor`, which loads the engine of each stage as the services do."""
    return await asyncio.to_thread(
        command.run,
        *("doctor", "--no-measure", "--data", folder / "data"),
        cwd=folder,
        environment={**planted.environment, "MAIE_LOG_LEVEL": "debug", **variables},
    )


def set_credentials_of_aws(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the planted credentials of AWS where its clients look for them."""
    for name, value in planted.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def model_server(address: str) -> dict[str, str]:
    """The settings of stages whose language model is on a server."""
    found: dict[str, str] = {}
    for stage in ("SUMMARY", "ENHANCEMENT"):
        found |= {
            f"MAIE_{stage}_ENGINE": "openai",
            f"MAIE_{stage}_OPENAI_BASE_URL": f"http://{address}/v1",
            f"MAIE_{stage}_OPENAI_MODEL": "m",
            f"MAIE_{stage}_OPENAI_RETRY_SECONDS": "0",
        }
    return found


@pytest.mark.parametrize(
    "refusal",
    [
        "401",
        "no proxy",
        pytest.param("out of reach", marks=pytest.mark.slow),
        pytest.param("500", marks=pytest.mark.slow),
        pytest.param("proxy", marks=pytest.mark.slow),
    ],
)
async def test_doctor_shows_no_secret_of_a_mesh_that_fails(refusal: str, tmp_path: Path) -> None:
    planted = plant()
    proxy = planted.secrets["proxy"] = new_secret()
    proxies = {
        "proxy": f"http://maie:{proxy}@{NOWHERE}",
        "no proxy": f"maie:{proxy}",
    }
    variables = {
        "MAIE_GATEWAY": NOWHERE,
        "MAIE_ASR_ENGINE": "whisper",
        "MAIE_ASR_WHISPER_MODEL_PATH": str(tmp_path / "no model"),
        **({"HTTP_PROXY": proxies[refusal], "NO_PROXY": ""} if refusal in proxies else {}),
    }
    with repeating_server(int(refusal) if refusal.isdigit() else 403) as address:
        place = address if refusal.isdigit() else "192.0.2.1" if refusal in proxies else NOWHERE
        ended = await doctor(planted, tmp_path, **variables, **model_server(place))
    said = ended.output + ended.errors
    assert ended.code == 1
    for line in ("not ok  asr engine", "not ok  summary engine", "not ok  enhancement engine"):
        assert line in said
    assert "has a fault" not in said
    assert not planted.shown_in(said)


def test_doctor_names_a_wrong_setting_without_its_secret(tmp_path: Path) -> None:
    planted = plant()
    secret = planted.secrets["MAIE_NATS_URL"]
    wrong = {
        "MAIE_NATS_URL": f"http://maie:{secret}@{NOWHERE}",
        "MAIE_GATEWAY": f"maie:{secret}@{NOWHERE}",
    }
    ended = asyncio.run(doctor(planted, tmp_path, **wrong))
    said = ended.output + ended.errors
    assert ended.code != 0
    assert f"MAIE_NATS_URL: http://{SHOWN}@{NOWHERE} is no URL of NATS" in said
    assert f"{SHOWN}@{NOWHERE}' is no address of a gateway" in said
    assert not planted.shown_in(said)


@pytest.mark.parametrize("url", [f"nats://maie:{{}}@{NOWHERE}", f"http://maie:{{}}@{NOWHERE}"])
def test_provision_shows_no_password(url: str) -> None:
    planted = plant()
    planted.environment["MAIE_NATS_URL"] = url.format(planted.secrets["MAIE_NATS_URL"])
    ended = command.run("provision", "--timeout", "0.3", environment=planted.environment)
    assert ended.code in (2, 3)
    assert "MAIE_NATS_URL" in ended.errors
    assert not planted.shown_in(ended.output + ended.errors)


@pytest.mark.parametrize("refuses", [True, False], ids=["refuses", "out of reach"])
async def test_a_store_that_fails_shows_no_credentials(
    refuses: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = plant()
    set_credentials_of_aws(planted, monkeypatch)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    password = planted.secrets["password of a proxy of S3"] = new_secret()
    with repeating_server(403) as address, free_address() as nobody:
        endpoint = f"http://maie:{password}@{address if refuses else nobody}"
        monkeypatch.setenv("AWS_ENDPOINT", endpoint)
        blobs = Blobs("s3://bucket/prefix")
        with pytest.raises(StageError) as raised:
            await blobs.check()
    assert raised.value.reason == "BLOB_STORE_UNAVAILABLE"
    assert not planted.shown_in(f"{raised.value} {raised.value!r} {blobs!r}")
    # A log line of it may have its cause, which names the request.
    cause = environment_redactor()(f"{raised.value.__cause__!r}")
    assert "bucket/prefix" in cause
    assert not planted.shown_in(cause)


@pytest.mark.parametrize(
    "url",
    [
        "s3x://maie:{}@bucket/prefix",
        "ftp://maie:{}@bucket/prefix",
        "s3://maie:{}@:99999/",
        "az://maie:{}@bucket",
        "{}",
    ],
)
def test_a_store_that_there_is_not_is_a_sentence(url: str) -> None:
    secret = new_secret()
    with pytest.raises(
        ValueError, match=r"MAIE_BLOB_URL is .*no store that this can use"
    ) as raised:
        Blobs(url.format(secret))
    assert secret not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("option", ["password", "sslmode", "sslkey"])
async def test_a_database_out_of_reach_is_logged_without_its_secret(
    option: str, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = new_secret()
    with free_address() as nobody:
        url = f"postgresql://maie:{secret}@{nobody}/maie?{option}={secret}"
        async with open_read_model(url):
            pass
    said = "".join(capfd.readouterr())
    assert "readmodel.unavailable" in said
    assert nobody in said
    assert secret not in said


# By the proxy that the environment names, and the URL of the key service; each with a secret.
KEY_SERVICES = {
    "password": ("", f"awskms:///alias/maie?endpoint=http://maie:{{}}@{NOWHERE}"),
    "no URL": ("", "awskms:///alias/maie?endpoint=maie:{}"),
    "in the place of the key": ("", f"awskms://maie:{{}}@{NOWHERE}/alias/maie"),
    "another parameter": ("", "awskms:///alias/maie?token={}&secret={}"),
    "proxy": (f"http://maie:{{}}@{NOWHERE}", "awskms:///alias/maie"),
    "proxy without scheme": ("maie:{}", "awskms:///alias/maie"),
    "proxy of another kind": (f"socks9://maie:{{}}@{NOWHERE}", "awskms:///alias/maie"),
}


@pytest.mark.parametrize("case", KEY_SERVICES)
async def test_a_key_service_that_fails_shows_no_secret(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted, secret = plant(), new_secret()
    set_credentials_of_aws(planted, monkeypatch)
    proxy, setting = (text.replace("{}", secret) for text in KEY_SERVICES[case])
    planted.secrets[case] = secret
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(StageError, match="MAIE_GATEWAY_MASTER_KEY") as raised:
        async with open_master_key(setting):
            pass
    assert not planted.shown_in(f"{raised.value} {raised.value!r}")


async def test_a_key_service_that_repeats_the_request_shows_no_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planted = plant()
    set_credentials_of_aws(planted, monkeypatch)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with repeating_server(400) as address, pytest.raises(StageError) as raised:
        async with open_master_key(f"awskms:///alias/maie?endpoint=http://{address}"):
            pass
    assert not planted.shown_in(f"{raised.value} {raised.value!r}")


@contextmanager
def free_address() -> Iterator[str]:
    """HOST:PORT where nobody answers, while the context lasts."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"
