"""Long recordings that are processed at the same time as short ones."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import pytest
from pydantic import ValidationError

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_audio.fork_server import ForkServer
from maie_core.errors import BusyError, Code
from maie_preprocess.long_recordings import LongRecordings
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import open_stage_with
from maie_runtime.worker.stage import StageContext
from tests.preprocess import recordings
from tests.preprocess.conftest import last

pytestmark = pytest.mark.unit


def request_of(seconds: int) -> pb.PreprocessRequest:
    return pb.PreprocessRequest(recording_content=recordings.wav(recordings.speech(seconds)))


async def test_short_recordings_are_read_while_long_ones_are_at_their_limit(
    fork_server: ForkServer, context: StageContext, temp_dir: Path
) -> None:
    settings = PreprocessSettings(temp_dir=temp_dir, slots=2, long_slots=1, long_seconds=20)
    async with (
        open_stage_with(fork_server, settings) as stage,
        aclosing(stage.run(request_of(60), context)) as long_one,
    ):
        assert (await anext(long_one)).HasField("progress")
        with pytest.raises(BusyError) as caught:
            await last(stage, request_of(30), context)
        assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "BUSY")
        assert (await last(stage, request_of(5), context)).duration.seconds == 5
        async for _ in long_one:
            pass
        # It no longer counts.
        assert (await last(stage, request_of(30), context)).duration.seconds == 30


async def test_a_long_recording_counts_once_and_no_more_after_a_failure() -> None:
    limit = LongRecordings(1, long_seconds=10)
    with pytest.raises(RuntimeError, match="failed"):
        async with limit.track() as report:
            for seconds in (0, 10, 11, 12):
                report(seconds)
            raise RuntimeError("failed")
    async with limit.track() as report, limit.track() as other:
        report(11)
        other(9)
        with pytest.raises(BusyError):
            other(11)


def test_one_slot_of_several_is_left_to_short_recordings() -> None:
    assert PreprocessSettings(slots=1).long_slots is None
    with pytest.raises(ValidationError, match="long_slots must be less than slots"):
        PreprocessSettings(slots=2, long_slots=2)
