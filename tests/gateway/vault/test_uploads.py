"""With a master key, nothing of a resumable upload can be read on the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_client import Client
from maie_runtime.bus.broker import Broker
from tests.gateway.conftest import EmptyMesh
from tests.gateway.uploads.conftest import audio_of
from tests.gateway.vault.conftest import holds, recording, wrapped_key

pytestmark = pytest.mark.mesh

NAME = "Zanzibar hearing"


async def big() -> AsyncIterator[bytes]:
    """More than a part."""
    for _ in range(80):
        yield b"RECORDINGBYTES" * 5000


async def test_nothing_of_an_upload_can_be_read_and_its_job_has_its_key(
    mesh: EmptyMesh, disk: list[Path], bystander: Broker
) -> None:
    async with mesh.gateway() as address, Client(address) as client:
        config = job.JobConfig(features=[job.FEATURE_RAW_TRANSCRIPT], display_name=NAME)
        begun = await client.uploads.begin(config, client_metadata=NAME)
        now = await client.uploads.append(begun.upload_id, 0, big())
        await client.uploads.append(begun.upload_id, now.offset_bytes, recording())
        for folder in disk:
            for words in (NAME.encode(), b"RECORDINGBYTES"):
                assert not holds(folder, words)
        key = await wrapped_key(bystander, begun.upload_id)
        made = await client.uploads.finish(begun.upload_id)
        audio = await audio_of(client, made.job_id)
        assert audio == b"RECORDINGBYTES" * (80 * 5000 + 1)
        assert key == await wrapped_key(bystander, made.job_id) != b""
        await client.delete_job(made.job_id)
        assert not await wrapped_key(bystander, made.job_id)
        begun = await client.uploads.begin(config)
        await client.uploads.append(begun.upload_id, 0, recording())
        await client.uploads.delete(begun.upload_id)
        assert not await wrapped_key(bystander, begun.upload_id)
