"""A preprocess stage with the real model, and a short way to call it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Protocol

import pytest

from maie.preprocess.v1 import preprocess_pb2 as pb
from maie_audio.fork_server import ForkServer
from maie_core.errors import Code, StageError
from maie_preprocess.decoding import PROGRAM
from maie_preprocess.settings import PreprocessSettings
from maie_preprocess.stage import PreprocessStage, open_stage_with
from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import StageContext


@pytest.fixture
def temp_dir(tmp_path: Path) -> Path:
    """Where the stage keeps recordings while it decodes them."""
    folder = tmp_path / "temp"
    folder.mkdir()
    return folder


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs((tmp_path / "blobs").as_uri())


@pytest.fixture
def context(blobs: Blobs) -> StageContext:
    return StageContext(job_id="job", unit="preprocess", attempt=1, blobs=blobs, folder="jobs/test")


@pytest.fixture
def settings(temp_dir: Path) -> PreprocessSettings:
    return PreprocessSettings(temp_dir=temp_dir)


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """What starts the decoding processes of all tests."""
    with ForkServer(PROGRAM) as server:
        yield server


@pytest.fixture
async def stage(
    fork_server: ForkServer, settings: PreprocessSettings
) -> AsyncIterator[PreprocessStage]:
    async with open_stage_with(fork_server, settings) as opened:
        yield opened


class Preprocess(Protocol):
    def __call__(
        self, content: bytes, *, options: pb.RecordingOptions | None = None, **settings: Any
    ) -> Awaitable[pb.PreprocessResult]: ...


@pytest.fixture
def preprocess(fork_server: ForkServer, context: StageContext, temp_dir: Path) -> Preprocess:
    """Preprocesses a recording with settings that differ from the defaults."""

    async def call(
        content: bytes, *, options: pb.RecordingOptions | None = None, **changed: Any
    ) -> pb.PreprocessResult:
        request = pb.PreprocessRequest(recording_content=content, recording_options=options)
        settings = PreprocessSettings(temp_dir=temp_dir, **changed)
        async with open_stage_with(fork_server, settings) as stage:
            return await last(stage, request, context)

    return call


@pytest.fixture(scope="session")
def known() -> dict[Hashable, pb.PreprocessResult]:
    """What came of recordings that several tests compare with."""
    return {}


@pytest.fixture
def preprocess_once(
    preprocess: Preprocess, known: dict[Hashable, pb.PreprocessResult]
) -> Preprocess:
    """Preprocesses a recording that several tests compare with; its chunks may be another's."""

    async def call(
        content: bytes, *, options: pb.RecordingOptions | None = None, **changed: Any
    ) -> pb.PreprocessResult:
        key = (content, str(options), tuple(changed.items()))
        if key not in known:
            known[key] = await preprocess(content, options=options, **changed)
        return known[key]

    return call


Refusal = Callable[..., Awaitable[str]]


@pytest.fixture
def refusal(preprocess: Preprocess) -> Refusal:
    """The reason for which a recording is refused; its sentence is looked at on the way."""

    async def call(content: bytes, **changed: Any) -> str:
        with pytest.raises(StageError) as caught:
            await preprocess(content, **changed)
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert caught.value.message.endswith(".")
        assert "\n" not in caught.value.message
        return caught.value.reason

    return call


async def last(
    stage: PreprocessStage, request: pb.PreprocessRequest, context: StageContext
) -> pb.PreprocessResult:
    """Runs a request to its end and gives the result."""
    async with aclosing(stage.run(request, context)) as responses:
        seen = [response async for response in responses]
    assert [response.HasField("result") for response in seen] == [False] * (len(seen) - 1) + [True]
    return seen[-1].result
