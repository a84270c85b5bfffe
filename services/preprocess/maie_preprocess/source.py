"""Opens a recording from the object store or from the request."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from pathlib import Path

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_core.errors import invalid
from maie_core.reasons import Reason
from maie_preprocess.settings import PreprocessSettings
from maie_runtime.blobs import Blobs


@asynccontextmanager
async def open_recording(
    request: pb.PreprocessRequest, blobs: Blobs, settings: PreprocessSettings, executor: Executor
) -> AsyncIterator[int]:
    """Yields the descriptor of an unlinked file with the recording.

    The system deletes the file with its last descriptor, even if the process
    is killed.

    Raises:
        StageError: INVALID_ARGUMENT if the request names no recording or
            contains one that is too large; others as `Blobs.download`.
    """
    check_source(request, settings)
    with tempfile.TemporaryDirectory(prefix="maie-", dir=settings.temp_dir) as folder:
        path = Path(folder, "recording")
        if request.HasField("recording"):
            await blobs.download(request.recording, path)
        else:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(executor, path.write_bytes, request.recording_content)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def check_source(request: pb.PreprocessRequest, settings: PreprocessSettings) -> None:
    """Refuses a request without a recording or with one that is too large.

    Raises:
        StageError: INVALID_ARGUMENT with SOURCE_MISSING or AUDIO_TOO_LARGE.
    """
    if request.WhichOneof("source") is None:
        raise invalid(
            Reason.SOURCE_MISSING,
            "The request names no recording; set recording or recording_content.",
            field="recording",
        )
    if len(request.recording_content) > settings.max_content_bytes:
        raise invalid(
            Reason.AUDIO_TOO_LARGE,
            f"A recording in a request may have up to {settings.max_content_bytes} bytes; store "
            "a larger one and name it in recording.",
            field="recording_content",
        )
