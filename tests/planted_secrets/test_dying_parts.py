"""What `maie up` prints and logs where a part cannot start because of a setting with a secret."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.command import MAIE
from tests.mesh.conftest import environment
from tests.planted_secrets.planting import plant, without_filter
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.mesh, pytest.mark.slow]

# By the variable, and what `maie up` says.
WRONG = {
    "MAIE_GATEWAY_MASTER_KEY": "gateway did not start: MAIE_GATEWAY_MASTER_KEY: nothing is",
    "MAIE_WEBHOOKS_TENANTS": "gateway did not start: MAIE_WEBHOOKS_TENANTS",
    "OTEL_EXPORTER_OTLP_HEADERS": "did not start: OTEL_EXPORTER_OTLP_HEADERS: header 1",
}
VALUES = {
    "MAIE_WEBHOOKS_TENANTS": '{{"acme": [{{"name": "crm", "secret": "{}"}}]}}',
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization: Bearer {}",
}


@pytest.mark.parametrize("name", ["MAIE_GATEWAY_MASTER_KEY", *VALUES])
def test_a_part_that_does_not_start_shows_no_secret(name: str, tmp_path: Path) -> None:
    planted, data = plant(), tmp_path / "data"
    variables = {
        **planted.environment,
        **without_filter(tmp_path),
        "MAIE_LOG_LEVEL": "debug",
    }
    del variables["MAIE_GATEWAY_EARLIER_MASTER_KEY"]
    if name in VALUES:
        variables[name] = VALUES[name].format(planted.secrets[name])
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1"
        del variables["MAIE_GATEWAY_MASTER_KEY"]
    ended = subprocess.run(
        [str(MAIE), "up", "--data", str(data), "--port-base", "0", "--profile", "tiny"],
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 1
    assert WRONG[name] in ended.stderr
    logs = "".join(path.read_text() for path in (data / "logs").iterdir())
    assert name in logs
    assert not planted.shown_in(ended.stdout + ended.stderr + logs)
