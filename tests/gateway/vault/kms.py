"""A server with the API of AWS KMS, moto's, as a process of its own, and keys in it.

It stands for AWS, which no test here has met.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.conftest import free_port, listens
from tests.waiting import PATIENCE_SECONDS

MOTO = Path(sys.executable).with_name("moto_server")
REGION = "eu-central-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "another"}


@dataclass(kw_only=True)
class Kms:
    """A running server.

    Attributes:
        port: Its port on 127.0.0.1.
        process: Its process.
    """

    port: int
    process: subprocess.Popen[bytes]

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """A client that manages keys."""
        return boto3.session.Session(
            aws_access_key_id="one", aws_secret_access_key="another", region_name=REGION
        ).client("kms", endpoint_url=self.endpoint)

    def new_key(self, **options: Any) -> str:
        """The id of a new key."""
        return str(self.client().create_key(**options)["KeyMetadata"]["KeyId"])

    def setting(self, key: str) -> str:
        """MAIE_GATEWAY_MASTER_KEY for a key."""
        return f"awskms:///{key}?region={REGION}&endpoint={self.endpoint}"

    def stop(self) -> None:
        """Stops it; its keys are lost."""
        self.process.kill()
        self.process.wait()


@contextmanager
def kms_server(environment: Mapping[str, str] | None = None) -> Iterator[Kms]:
    """A server without keys."""
    port = free_port()
    server = Kms(
        port=port,
        process=subprocess.Popen(
            [MOTO, "-H", "127.0.0.1", "-p", str(port)],
            env={"PATH": "/usr/bin:/bin", **(environment or {})},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ),
    )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not listens(port):
            assert server.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield server
    finally:
        server.stop()
