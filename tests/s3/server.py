"""A real S3 server of the tests' own, SeaweedFS, with a bucket and its data in a folder."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from obstore.store import ObjectStore, S3Store

from tests.conftest import free_port
from tests.waiting import PATIENCE_SECONDS

WEED = Path(sys.executable).with_name("weed")
BUCKET = "maie"
ACCESS_KEY, SECRET_KEY = "one", "another"
REGION = "eu-central-1"
OPTIONS = (
    "-filer",
    "-s3",
    # Catalogs that nobody asks for here.
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    # It would report to its makers.
    "-master.telemetry=false",
    # Small files, of which a test's disk holds some.
    "-volume.max=32",
    "-master.volumeSizeLimitMB=16",
)
PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


def no_s3_server() -> str | None:
    """Why no S3 server can be started here; None where it can."""
    return None if WEED.exists() else "there is no wheel of SeaweedFS for this machine"


class S3Server:
    """A server that runs within a `with` block, and can be killed and started again.

    Args:
        folder: Where it keeps everything; made where it is absent.

    Attributes:
        address: HOST:PORT where it answers; the same after a restart.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = {name: free_port() for part in PORTS for name in (part, f"{part}.grpc")}
        self.address = f"127.0.0.1:{self._ports['s3.port']}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def _config(self) -> Path:
        return self._folder / "s3.json"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of those who use the server."""
        return environment_for(self.address)

    def start(self) -> None:
        """Starts the server and waits until its bucket can be read and written."""
        self._configure()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    WEED,
                    "server",
                    f"-dir={self._folder}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    f"-s3.config={self._config}",
                    *OPTIONS,
                    *(f"-{name}={port}" for name, port in self._ports.items()),
                ],
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_ready()
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """Ends the server with SIGKILL: it takes a minute to end by itself."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def objects(self) -> ObjectStore:
        """What is in the bucket."""
        return S3Store(
            BUCKET,
            endpoint=f"http://{self.address}",
            access_key_id=ACCESS_KEY,
            secret_access_key=SECRET_KEY,
            region=REGION,
            client_options={"allow_http": True},
        )

    def client(self) -> Any:
        """A boto3 client of the server, to be closed."""
        return boto3.session.Session(
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
        ).client(
            "s3",
            endpoint_url=f"http://{self.address}",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def _configure(self) -> None:
        self._folder.mkdir(exist_ok=True)
        keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
        who = {"name": "maie", "credentials": keys, "actions": ["Admin"]}
        self._config.write_text(json.dumps({"identities": [who]}))

    def _wait_ready(self) -> None:
        client = self.client()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                _make_bucket(client)
            except (BotoCoreError, ClientError):
                assert self._process is not None
                assert self._process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
            else:
                client.close()
                return


def _make_bucket(client: Any) -> None:
    there = (client.exceptions.BucketAlreadyExists, client.exceptions.BucketAlreadyOwnedByYou)
    with suppress(*there):
        client.create_bucket(Bucket=BUCKET)
    # The first object waits until the server has a volume for it.
    client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")


def environment_for(address: str) -> dict[str, str]:
    """The environment of those who reach the server at HOST:PORT."""
    return {
        "AWS_ENDPOINT_URL": f"http://{address}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
    }
