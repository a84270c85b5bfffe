"""The audio of a job, as clients get it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_runtime.blobs import Blobs

# The most bytes of one message.
PIECE_BYTES = 256 * 1024


class StoredAudio:
    """Reads the audio of jobs.

    Args:
        blobs: The object store.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def parts(
        self, of: record.JobRecord, request: job.GetAudioRequest
    ) -> AsyncGenerator[job.GetAudioResponse, None]:
        """The audio of a job, or a part of it.

        Args:
            of: The job.
            request: Which part.

        Raises:
            StageError: NOT_FOUND with AUDIO_NOT_KEPT, INVALID_ARGUMENT with FIELD_INVALID,
                DATA_LOSS with BLOB_MISSING, or UNAVAILABLE.
        """
        audio = _audio(of)
        _check_range(request, audio.size_bytes)
        info = job.AudioInfo(
            filename=of.config.filename, size_bytes=audio.size_bytes, sha256=audio.sha256
        )
        yield job.GetAudioResponse(info=info)
        size = request.max_bytes or None
        async with aclosing(self._blobs.read(audio, request.start_byte, size)) as pieces:
            async for piece in pieces:
                for place in range(0, len(piece), PIECE_BYTES):
                    yield job.GetAudioResponse(audio=piece[place : place + PIECE_BYTES])


def _audio(of: record.JobRecord) -> common.Blob:
    """Where the audio of a job is."""
    if not of.HasField("recording"):
        raise StageError(
            Code.NOT_FOUND,
            Reason.AUDIO_NOT_KEPT,
            f"The audio of job {of.job_id} was not kept; ask for it with keep_audio when a live "
            "session begins.",
        )
    return of.recording


def _check_range(request: job.GetAudioRequest, size: int) -> None:
    if not 0 <= request.start_byte <= size:
        raise invalid(
            Reason.FIELD_INVALID,
            f"The audio has {size} bytes; begin at 0 to {size}.",
            field="start_byte",
        )
    if request.max_bytes < 0:
        raise invalid(
            Reason.FIELD_INVALID,
            "The most bytes to get are 1 or more, or 0 for all that follow.",
            field="max_bytes",
        )
