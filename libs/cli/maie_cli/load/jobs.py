"""Jobs of one recording, each followed to its end."""

from __future__ import annotations

import time
from contextlib import aclosing
from pathlib import Path

from maie.job.v1 import job_pb2 as job
from maie_cli.batch import exit_of_job
from maie_cli.load.runs import Measure, Run, State, Trouble
from maie_client import Client, ClientError, JobOptions
from maie_core.durations import seconds

# The reason of a job that failed and names none.
FAILED = "FAILED"


class Jobs:
    """Submits a recording over and over.

    Args:
        client: The connection; open.
        recording: The file.
        options: The options of each job.
    """

    def __init__(self, client: Client, recording: Path, options: JobOptions) -> None:
        self._client = client
        self._recording = recording
        self._options = options

    async def do(self, run: Run) -> None:
        """Submits it, and follows the job to its end.

        Raises:
            ClientError: It was refused, or cannot be followed.
            OSError: The file cannot be read.
        """
        began = time.monotonic()
        events = self._client.process(self._recording, **self._options)
        async with aclosing(events):
            async for event in events:
                _take(run, event, time.monotonic() - began)

    async def cancel(self, run: Run) -> bool:
        """Cancels the job, which then ends; there is none to cancel before it is accepted."""
        if not run.job_id:
            return False
        try:
            await self._client.cancel_job(run.job_id)
        except ClientError:
            return False
        return True


def _take(run: Run, event: job.JobEvent, passed: float) -> None:
    """Notes an event.

    Args:
        run: The job.
        event: The event.
        passed: The time since the beginning of the upload, in seconds.
    """
    match event.WhichOneof("event"):
        case "accepted":
            run.job_id = event.accepted.job_id
            run.add_now(Measure.ACCEPTED, passed)
        case "segment" if Measure.FIRST_WORDS not in run.samples:
            run.add_now(Measure.FIRST_WORDS, passed)
        case "warning":
            run.notices[event.warning.reason] += 1
        case "finished":
            _finish(run, event.finished.job, passed)


def _finish(run: Run, done: job.Job, passed: float) -> None:
    if done.state == job.JOB_STATE_CANCELLED:
        run.state = State.CANCELLED
        return
    code, message = exit_of_job(done)
    if message:
        reasons = [failure.reason for failure in done.failures]
        run.fail(Trouble(reason=next(iter(reasons), FAILED), message=message, code=code))
        return
    run.state = State.COMPLETE
    run.audio_seconds = seconds(done.metrics.input_duration)
    run.add_now(Measure.END, passed)
