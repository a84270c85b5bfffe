"""Holds what is stored of a job to what its record says."""

from __future__ import annotations

import hashlib
import re

import obstore
from obstore.store import ObjectStore

from maie.job.v1 import job_pb2 as job
from maie_runtime import folders
from tests.chaos.service import CHUNKS

# A name and the digest of the content.
STORED = re.compile(r"(?P<name>.+)-(?P<digest>[0-9a-f]{64})")
OF_CHUNKS = ("asr", "diarization.map", "diarization.merge", "enhancement", "summary.map")
NAMES = {
    "preprocess",
    "diarization.reduce",
    "alignment",
    "summary.reduce",
    *(f"{stage}.{index:04d}" for stage in OF_CHUNKS for index in range(CHUNKS)),
}


OF_QUALITY = {"quality.reduce", *(f"quality.map.{index:04d}" for index in range(CHUNKS))}


async def wrong_with(objects: ObjectStore, complete: job.Job) -> str | None:
    """Reads everything that is stored of a complete job; says what is missing or damaged."""
    folder = folders.of_job(complete.job_id)
    wanted = NAMES | (OF_QUALITY if job.FEATURE_QUALITY in complete.config.features else set())
    names = set()
    for found in await obstore.list(objects, folder).collect_async():
        content = bytes(await (await obstore.get_async(objects, found["path"])).bytes_async())
        if named := STORED.fullmatch(found["path"].removeprefix(f"{folder}/")):
            names.add(named["name"])
            if hashlib.sha256(content).hexdigest() != named["digest"]:
                return f"{found['path']} is damaged, and the job is complete"
    missing = wanted - names
    return f"{sorted(missing)} are missing, and the job is complete" if missing else None
