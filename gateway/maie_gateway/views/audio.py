"""The audio of a job, as clients get it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.live.v1 import session_pb2 as session
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_gateway.views.stored_results import StoredResults
from maie_pipeline.live_session import AUDIO_UNIT
from maie_pipeline.states import FINAL_STATES
from maie_runtime.blobs import Blobs

# The most bytes of one message.
PIECE_BYTES = 256 * 1024


class StoredAudio:
    """Reads the audio of jobs.

    Args:
        blobs: The object store.
        stored: Reads stored results.
    """

    def __init__(self, blobs: Blobs, stored: StoredResults) -> None:
        self._blobs = blobs
        self._stored = stored

    async def parts(
        self, of: record.JobRecord, request: job.GetAudioRequest
    ) -> AsyncGenerator[job.GetAudioResponse, None]:
        """The audio of a job, or a part of it.

        Args:
            of: The job.
            request: Which part.

        Raises:
            StageError: NOT_FOUND with AUDIO_NOT_KEPT, FAILED_PRECONDITION with AUDIO_NOT_READY,
                INVALID_ARGUMENT with FIELD_INVALID, DATA_LOSS with BLOB_MISSING, or UNAVAILABLE.
        """
        audio, filename = await self._audio(of)
        _check_range(request, audio.size_bytes)
        info = job.AudioInfo(filename=filename, size_bytes=audio.size_bytes, sha256=audio.sha256)
        yield job.GetAudioResponse(info=info)
        size = request.max_bytes or None
        async with aclosing(self._blobs.read(audio, request.start_byte, size)) as pieces:
            async for piece in pieces:
                for place in range(0, len(piece), PIECE_BYTES):
                    yield job.GetAudioResponse(audio=piece[place : place + PIECE_BYTES])

    async def _audio(self, of: record.JobRecord) -> tuple[common.Blob, str]:
        """Where the audio of a job is, and the file's name."""
        if of.HasField("recording"):
            return of.recording, of.config.filename
        unit = next((unit for unit in of.units if unit.unit == AUDIO_UNIT), None)
        if unit is None:
            raise StageError(
                Code.NOT_FOUND,
                Reason.AUDIO_NOT_KEPT,
                f"The audio of job {of.job_id} was not kept; ask for it with keep_audio when a "
                "live session begins.",
            )
        if unit.state != job.UNIT_STATE_COMPLETED:
            raise _not_ready(of)
        made = await self._stored.get(unit.output, session.SessionAudio)
        return made.file, f"{of.display_name or of.job_id}.flac"


def _not_ready(of: record.JobRecord) -> StageError:
    advice = "retry the job first" if of.state in FINAL_STATES else "ask again when it is complete"
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.AUDIO_NOT_READY,
        f"The audio of job {of.job_id} is put together after its session, and is not there yet; "
        f"{advice}.",
    )


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
