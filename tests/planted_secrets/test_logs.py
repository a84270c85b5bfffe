"""What libraries say in logs and tracebacks: secrets of the environment are left out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from maie_core.metrics import is_sent
from maie_core.redaction import SHOWN, Redactor, environment_redactor, masked_url
from maie_core.tracing import is_tracing_on
from tests.planted_secrets.planting import NOWHERE, new_secret, plant

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
# An API key is said whole, with its id, and not its secret alone.
WHOLE = ("MAIE_API_KEY",)
# Says every planted secret in every way in which a process can.
SAYS = """
import json, logging, os, sys, threading, time
import structlog
from maie_core.settings import MeshSettings
from maie_core.telemetry import configure_logging

said = json.loads(sys.argv[1])
configure_logging(MeshSettings(), "test")
log = structlog.get_logger()
log.debug("debugging", said=said)
log.error("failed", error=str(said), **{f"field_{at}": each for at, each in enumerate(said)})
logging.getLogger("library").warning("cannot connect with %s: %r", said, said)
try:
    raise ValueError(f"no server takes {said}")
except ValueError as error:
    log.error("unexpected", exc_info=error)
    logging.getLogger("library").exception("cannot")
thread = threading.Thread(target=lambda: int(" ".join(said)))
thread.start()
thread.join()
raise RuntimeError(f"the end: {said}")
"""


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_process_that_says_its_secrets_logs_asterisks(style: str) -> None:
    planted = plant(proxies=True)
    said = [*planted.environment.values()]
    said += [each for place, each in planted.secrets.items() if place not in WHOLE]
    ended = subprocess.run(
        [sys.executable, "-c", SAYS, json.dumps(said)],
        env={
            **os.environ,
            **planted.environment,
            "MAIE_LOG_FORMAT": style,
            "MAIE_LOG_LEVEL": "debug",
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert ended.returncode == 1
    assert not ended.stdout
    for event in ("debugging", "failed", "cannot connect", "unexpected", "the end"):
        assert event in ended.stderr
    assert ended.stderr.count(SHOWN) > len(said)
    assert not planted.shown_in(ended.stderr)
    if style == "json":
        crash = json.loads(ended.stderr.splitlines()[-1])
        assert (crash["level"], crash["event"]) == ("critical", "process.crashed")
        assert crash["error"].startswith("RuntimeError: the end: ")
        assert crash["exception"][0]["exc_type"] == "RuntimeError"


@pytest.mark.parametrize("secret", ['q"uote\\back', "späße und mehr", "new\tline-tab", "50%/#?@:"])
def test_a_secret_is_found_in_every_writing(secret: str) -> None:
    redact = Redactor([secret])
    for text in (secret, json.dumps({"a": secret}), repr([secret]), json.dumps([secret])):
        assert secret not in redact(text)
        assert SHOWN in redact(text)


def test_only_the_password_of_a_url_is_left_out() -> None:
    redact = environment_redactor({"MAIE_NATS_URL": "nats://maie:of-the-mesh@nats:4222"})
    assert redact("nats://maie:of-the-mesh@nats:4222") == f"nats://{SHOWN}@nats:4222"
    assert redact("maie of-the-mesh nats:4222") == f"maie {SHOWN} nats:4222"
    assert redact("http://other:pw@host/x of a@b.c") == f"http://{SHOWN}@host/x of a@b.c"


@pytest.mark.parametrize("proxy", ["maie:{}@proxy:3128", "maie:{}", "http://maie:{}", "{}@x:1"])
def test_the_password_of_a_proxy_is_found(proxy: str) -> None:
    secret = new_secret()
    redact = environment_redactor({"https_proxy": proxy.format(secret)})
    assert redact(f"Invalid port: '{secret}'") == f"Invalid port: '{SHOWN}'"


def test_what_is_no_secret_stays() -> None:
    redact = environment_redactor(
        {
            "MAIE_NATS_URL": "nats://127.0.0.1:4222",
            "MAIE_SUMMARY_OPENAI_MAX_TOKENS_FIELD": "max_completion_tokens",
            "MAIE_TLS_KEY_FILE": "/etc/maie/tls.key",
            "MAIE_WEBHOOKS_TENANTS": "{}",
        }
    )
    text = "nats://127.0.0.1:4222 max_completion_tokens /etc/maie/tls.key {}"
    assert redact(text) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://a:b@h:4222", f"nats://{SHOWN}@h:4222"),
        ("nats://a:b/c#d?e@h:4222", f"nats://{SHOWN}@h:4222"),
        ("https://h/path?token=x", f"https://h/{SHOWN}"),
        ("https://h?token=x", f"https://h?{SHOWN}"),
        ("nats://a:b", f"nats://{SHOWN}"),
        ("nats://[::1]:4222", "nats://[::1]:4222"),
        ("b", SHOWN),
        ("a:b@h", SHOWN),
    ],
)
def test_a_masked_url_has_scheme_host_and_port(url: str, shown: str) -> None:
    assert masked_url(url) == shown


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization: Bearer {}"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,{}"),
        ("OTEL_EXPORTER_OTLP_{}_HEADERS", "{}"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://maie:{{}}@{NOWHERE}"),
        ("OTEL_EXPORTER_OTLP_{}_ENDPOINT", f"http://{NOWHERE}?key={{}}"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://maie:\u2100{}@127.0.0.1:1"),
    ],
)
@pytest.mark.parametrize("signal", ["TRACES", "METRICS"])
def test_what_otlp_cannot_use_is_a_sentence_without_the_secret(
    name: str, shape: str, signal: str
) -> None:
    secret = new_secret()
    environment = {f"OTEL_{signal}_EXPORTER": "otlp", name.format(signal): shape.format(secret)}
    is_wanted = is_tracing_on if signal == "TRACES" else is_sent
    with pytest.raises(ValueError, match=name.format(signal)) as raised:
        is_wanted(environment)
    assert secret not in str(raised.value)


def test_headers_as_otlp_takes_them_are_taken() -> None:
    headers = "authorization=Bearer%20abc=, x-scope = 1 ,"
    assert is_tracing_on(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:1", "OTEL_EXPORTER_OTLP_HEADERS": headers}
    )
