"""Processes many recordings, a limited number of them concurrently."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from maie.job.v1 import job_pb2 as job
from maie_cli.console import note
from maie_cli.exits import Exit, exit_of_error, exit_of_failures, os_sentence, sentence
from maie_cli.internal_errors import internal_error
from maie_cli.recordings import Recording
from maie_cli.views import View
from maie_client import Client, ClientError, JobOptions
from maie_client.follow import Events
from maie_client.template_of_job import template_of
from maie_formats.clean import plain
from maie_formats.writers import Finished


@dataclass(kw_only=True, frozen=True, slots=True)
class Outcome:
    """The outcome of a recording.

    Attributes:
        recording: The recording.
        code: Its exit code.
        message: Its error; empty for none.
        finished: The job; unset without one.
        audio: The file with its summary as speech; unset without one.
    """

    recording: Recording
    code: Exit = Exit.OK
    message: str = ""
    finished: Finished | None = None
    audio: Path | None = None


class Batch:
    """Processes recordings over one client.

    Args:
        client: The connection.
        options: The options of each job.
        view: Shows the events.
        at_once: The most recordings in progress.
        outlived: Whether jobs go on when the command ends, as those of a mesh of its own do not.
    """

    def __init__(
        self,
        client: Client,
        options: JobOptions,
        view: View,
        at_once: int,
        *,
        outlived: bool = True,
    ) -> None:
        self._client = client
        self._options = options
        self._view = view
        self._outlived = outlived
        self._turn = asyncio.Semaphore(at_once)

    async def run(self, recordings: list[Recording]) -> list[Outcome]:
        """Processes all recordings; a failed one does not affect the others."""
        return await asyncio.gather(*map(self._outcome, recordings))

    async def _outcome(self, recording: Recording) -> Outcome:
        async with self._turn:
            try:
                return _outcome(recording, await self._finished(recording))
            except ClientError as error:
                return Outcome(
                    recording=recording, code=exit_of_error(error), message=sentence(error)
                )
            except OSError as error:
                return Outcome(recording=recording, code=Exit.USAGE, message=os_sentence(error))
            except Exception as error:  # noqa: BLE001 # our bug must not stop the other recordings
                return Outcome(recording=recording, code=Exit.FAILED, message=internal_error(error))

    async def _finished(self, recording: Recording) -> Finished:
        done = await self._job(recording)
        # The server of a URL may give the file another name.
        name = done.config.filename if recording.url else recording.path.name
        return Finished(
            job=done,
            name=plain(name or str(recording)),
            template=await template_of(self._client, done),
        )

    async def _job(self, recording: Recording) -> job.Job:
        job_id = ""
        try:
            async with aclosing(self._events(recording)) as events:
                async for event in events:
                    self._view.show(str(recording), event)
                    if event.HasField("accepted"):
                        job_id = event.accepted.job_id
                    if event.HasField("finished"):
                        return event.finished.job
        except asyncio.CancelledError:
            if job_id and self._outlived:
                note(f"{recording} goes on; follow it with: maie jobs watch {job_id}")
            raise
        raise AssertionError("a job's events end with `finished`")

    def _events(self, recording: Recording) -> Events:
        if recording.url:
            return self._client.process_url(recording.url, **self._options)
        return self._client.process(recording.path, **self._options)


def exit_of_job(done: job.Job) -> tuple[Exit, str]:
    """The exit code of a finished job, and its message."""
    if done.state == job.JOB_STATE_COMPLETE:
        return Exit.OK, ""
    if done.state == job.JOB_STATE_CANCELLED:
        return Exit.FAILED, "The job was cancelled."
    messages = dict.fromkeys(failure.message for failure in done.failures)
    return exit_of_failures(list(done.failures)), " ".join(messages) or "The job failed."


def _outcome(recording: Recording, finished: Finished) -> Outcome:
    code, message = exit_of_job(finished.job)
    return Outcome(recording=recording, code=code, message=message, finished=finished)
