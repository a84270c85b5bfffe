"""A real S3 server of the tests' own, SeaweedFS, with a bucket and its data in a folder."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.conftest import free_port
from tests.waiting import PATIENCE_SECONDS

WEED = Path(sys.executable).with_name("weed")
BUCKET = "maie"
ACCESS_KEY, SECRET_KEY = "one", "another"
OPTIONS = (
    "-filer",
    "-s3",
    # Catalogs that nobody asks for here.
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    # It would report to its makers.
    "-master.telemetry=false",
    # Small files, of which a test's disk holds a few.
    "-volume.max=8",
    "-master.volumeSizeLimitMB=16",
)
PORTS = ("master.port", "volume.port", "filer.port", "s3.port")


@contextmanager
def s3_server(folder: Path) -> Iterator[dict[str, str]]:
    """A running server; gives the environment that names it.

    Args:
        folder: Where it keeps everything; made where it is absent.
    """
    folder.mkdir(exist_ok=True)
    config = folder / "s3.json"
    keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    who = {"name": "maie", "credentials": keys, "actions": ["Admin"]}
    config.write_text(json.dumps({"identities": [who]}))
    ports = {name: free_port() for part in PORTS for name in (part, f"{part}.grpc")}
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ports['s3.port']}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": "eu-central-1",
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                WEED,
                "server",
                f"-dir={folder}",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                f"-s3.config={config}",
                *OPTIONS,
                *(f"-{name}={port}" for name, port in ports.items()),
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _make_bucket(server, environment)
        yield environment
    finally:
        # It takes a minute to end by itself.
        server.kill()
        server.wait()


def _make_bucket(server: subprocess.Popen[bytes], environment: dict[str, str]) -> None:
    client = boto3.session.Session(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        region_name=environment["AWS_REGION"],
    ).client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
            # The first object waits until the server has a volume for it.
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            client.close()
            return
