"""The audio of a job, as clients get it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from maie.common.v1 import types_pb2 as common
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import record_pb2 as record
from maie.live.v1 import session_pb2 as session
from maie.speech.v1 import speech_pb2 as speech
from maie_core.errors import Code, StageError, invalid
from maie_core.reasons import Reason
from maie_gateway.views.stored_results import StoredResults
from maie_pipeline.digest import DIGEST_UNIT
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
            StageError: NOT_FOUND with AUDIO_NOT_KEPT or DIGEST_MISSING, FAILED_PRECONDITION with
                AUDIO_NOT_READY, INVALID_ARGUMENT with FIELD_INVALID, DATA_LOSS with BLOB_MISSING,
                or UNAVAILABLE.
        """
        if request.source not in job.AudioSource.values():
            raise invalid(
                Reason.FIELD_INVALID,
                f"There is no audio source {request.source}; choose RECORDING or DIGEST.",
                field="source",
            )
        find = self._digest if request.source == job.AUDIO_SOURCE_DIGEST else self._recording
        audio, filename = await find(of)
        _check_range(request, audio.size_bytes)
        info = job.AudioInfo(filename=filename, size_bytes=audio.size_bytes, sha256=audio.sha256)
        yield job.GetAudioResponse(info=info)
        size = request.max_bytes or None
        async with aclosing(self._blobs.read(audio, request.start_byte, size)) as pieces:
            async for piece in pieces:
                for place in range(0, len(piece), PIECE_BYTES):
                    yield job.GetAudioResponse(audio=piece[place : place + PIECE_BYTES])

    async def _digest(self, of: record.JobRecord) -> tuple[common.Blob, str]:
        """Where the summary of a job as speech is, and the file's name."""
        unit = next((unit for unit in of.units if unit.unit == DIGEST_UNIT), None)
        if unit is not None and unit.state == job.UNIT_STATE_COMPLETED:
            made = await self._stored.get(unit.output, speech.SpokenSummary)
            if made.HasField("audio"):
                ending = speech.AudioFormat.Name(made.digest.format).rpartition("_")[2].lower()
                return made.audio, f"{of.display_name or of.job_id}.{ending}"
        elif unit is not None or (
            job.FEATURE_DIGEST in of.config.features and of.state not in FINAL_STATES
        ):
            raise _not_ready(of, f"The summary of job {of.job_id} is not spoken yet")
        raise StageError(
            Code.NOT_FOUND,
            Reason.DIGEST_MISSING,
            f"Job {of.job_id} speaks no summary: it was not asked for it, or there was nothing to "
            "speak.",
        )

    async def _recording(self, of: record.JobRecord) -> tuple[common.Blob, str]:
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
            why = (
                f"The audio of job {of.job_id} is put together after its session, and not there yet"
            )
            raise _not_ready(of, why)
        made = await self._stored.get(unit.output, session.SessionAudio)
        return made.file, f"{of.display_name or of.job_id}.flac"


def _not_ready(of: record.JobRecord, why: str) -> StageError:
    advice = "retry the job first" if of.state in FINAL_STATES else "ask again when it is complete"
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.AUDIO_NOT_READY,
        f"{why}; {advice}.",
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
