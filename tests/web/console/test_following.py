"""The page of a recording follows its job by events, and asks for little else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Request, expect

from maie.asr.v1 import asr_pb2 as asr
from maie.common.v1 import types_pb2 as common
from maie_runtime.worker.stage import StageContext
from tests.chaos.silence import SilentProxy
from tests.empty_stages import Gate
from tests.gateway.conftest import EmptyMesh
from tests.waiting import until
from tests.web.conftest import Web, recording
from tests.web.console.recordings import needs_console

pytestmark = [*needs_console]

# Chromium under test shows each page; a page that is covered looks so to its own code.
COVER = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def _one_line(
    request: asr.TranscribeRequest, _: StageContext, __: int
) -> list[asr.TranscribeResponse]:
    index = request.speech_chunk.index
    segment = common.Segment(segment_id=str(index), text=f"line of chunk {index}")
    segment.start_offset.FromSeconds(index)
    segment.end_offset.FromSeconds(index + 1)
    return [
        asr.TranscribeResponse(result=common.Transcript(segments=[segment], language_code="en"))
    ]


@pytest.fixture
def gates(empty_mesh: EmptyMesh) -> dict[str, Gate]:
    """Where each of two chunks waits."""
    waiting = {"asr.0000": Gate(), "asr.0001": Gate()}

    async def hook(context: StageContext) -> None:
        await waiting[context.unit](context)

    empty_mesh.stages["preprocess"].chunks = len(waiting)
    empty_mesh.stages["asr"].answer = _one_line
    empty_mesh.stages["asr"].hook = hook
    return waiting


async def test_a_recording_is_followed_over_breaks_and_only_while_it_is_seen(
    gates: dict[str, Gate], web: Web, page: Page
) -> None:
    made = await web.grpc.create_job(recording(), features=("raw_transcript",))
    requests: list[Request] = []
    ended: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    for end in ("requestfailed", "requestfinished"):
        page.on(end, lambda request: ended.append(request))

    def streams() -> list[Request]:
        return [each for each in requests if urlsplit(each.url).path.endswith("/events")]

    async with SilentProxy(urlsplit(web.url).netloc) as line:
        await page.goto(f"http://{line.address}/recordings/{made.job_id}")
        (first,) = await until(streams)
        gates["asr.0000"].opened.set()
        await expect(page.locator(".spoken")).to_contain_text("line of chunk 0")
        await page.evaluate(COVER, True)
        await until(lambda: first in ended)
        await page.evaluate(COVER, False)
        await until(lambda: len(streams()) == 2)
        assert "last_event_id=" in streams()[1].url
        line.hang_up()
        gates["asr.0001"].opened.set()
        await expect(page.get_by_text("line of chunk 1")).to_be_visible()
        await expect(page.locator(".badge", has_text="Complete")).to_be_visible()
        await until(lambda: all(each in ended for each in streams()))
    asked = [each for each in requests if urlsplit(each.url).path == f"/v1/jobs/{made.job_id}"]
    # Once at the beginning, and at most once for each later state and break.
    assert 1 <= len(asked) <= 4
