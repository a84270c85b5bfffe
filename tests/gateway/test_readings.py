"""Jobs that compare a recording with a text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from maie.alignment.v1 import alignment_pb2 as alignment
from maie.asr.v1 import asr_pb2 as asr
from maie.job.v1 import job_pb2 as job
from maie.preprocess.v1 import preprocess_pb2 as preprocess
from maie_client import Client, ClientError
from maie_core.errors import StageError
from maie_gateway.intake.submit_config import settled_config
from maie_runtime.blobs import Blobs
from tests.gateway.conftest import EmptyMesh

TEXT = "Mr. Bennet was among the earliest of those who waited on Mr. Bingley."
READING = ("reading",)


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield b"not empty"


def config(**options: str) -> job.JobConfig:
    return job.JobConfig(
        features=[job.FEATURE_READING], reading_options=alignment.ReadingOptions(**options)
    )


@pytest.mark.unit
def test_a_reading_has_one_channel_and_times_of_words() -> None:
    settled = settled_config(config(text=TEXT))
    assert settled.reading_options.text == TEXT
    assert settled.recording_options.channels == preprocess.CHANNEL_MODE_MIX
    assert settled.asr_options.word_time_offsets


@pytest.mark.unit
def test_a_text_that_nobody_asks_for_is_dropped() -> None:
    asked = config(text=TEXT)
    asked.features[:] = [job.FEATURE_RAW_TRANSCRIPT]
    assert not settled_config(asked).HasField("reading_options")


def _without_times(asked: job.JobConfig) -> None:
    asked.asr_options.word_time_offsets = False


def _translated(asked: job.JobConfig) -> None:
    asked.asr_options.task = asr.TRANSCRIBE_TASK_TRANSLATE


def _split(asked: job.JobConfig) -> None:
    asked.recording_options.channels = preprocess.CHANNEL_MODE_SPLIT


def _all_tracks(asked: job.JobConfig) -> None:
    asked.recording_options.all_tracks = True


def _no_text(asked: job.JobConfig) -> None:
    asked.ClearField("reading_options")


@pytest.mark.unit
@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        (_without_times, "OPTION_NOT_SUPPORTED", "asr_options.word_time_offsets"),
        (_translated, "OPTION_NOT_SUPPORTED", "asr_options.task"),
        (_split, "OPTION_NOT_SUPPORTED", "recording_options.channels"),
        (_all_tracks, "OPTION_NOT_SUPPORTED", "recording_options.all_tracks"),
        (_no_text, "READING_TEXT_INVALID", "reading_options.text"),
    ],
)
def test_what_no_reading_can_have_is_refused(
    change: Callable[[job.JobConfig], None], reason: str, field: str
) -> None:
    asked = config(text=TEXT)
    change(asked)
    with pytest.raises(StageError) as caught:
        settled_config(asked)
    assert (caught.value.reason, caught.value.field) == (reason, f"config.{field}")


@pytest.mark.mesh
async def test_the_reading_is_shown_and_its_text_is_not(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.running() as client:
        events = [
            told async for told in client.process(recording(), features=READING, reading_text=TEXT)
        ]
        done = events[-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        assert done.results.HasField("reading")
        assert not done.results.HasField("raw_transcript")
        assert done.config.HasField("reading_options")
        assert TEXT.encode() not in done.SerializeToString()
        blobs = Blobs(empty_mesh.mesh.blob_url)
        kept = [each.key async for each in blobs.stored(f"jobs/{done.job_id}")]
        assert len([key for key in kept if "/reading-options-" in key]) == 1


@pytest.mark.mesh
async def test_a_request_id_belongs_to_its_text(empty_mesh: EmptyMesh) -> None:
    async with empty_mesh.gateway() as address, Client(address) as client:

        async def submit(text: str) -> str:
            made = await client.create_job(
                recording(), features=READING, reading_text=text, request_id="monday"
            )
            return made.job_id

        first = await submit(TEXT)
        assert await submit(TEXT) == first
        with pytest.raises(ClientError) as refused:
            await submit(f"{TEXT} He had always intended to visit him.")
        assert refused.value.reason == "REQUEST_ID_REUSED"
