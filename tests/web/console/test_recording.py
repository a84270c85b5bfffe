"""The page of a recording: a transcript of hours, doubts, failures."""

from __future__ import annotations

import asyncio

import pypdfium2
from playwright.async_api import Locator, Page, expect

from maie.job.v1 import job_pb2 as job
from maie_core.codes import Code
from maie_core.errors import StageError
from maie_core.reasons import Reason
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web
from tests.web.console.recordings import SECONDS, add, needs_console, spoken

pytestmark = [*needs_console]

HOURS = 4
MOST_GAP_PX = 1.5
LINES = HOURS * 3600 // SECONDS


async def widest_gap(transcript: Locator) -> float:
    """The most by which two lines that follow each other overlap or are apart, in pixels."""
    gaps: list[float] = await transcript.evaluate(
        """box => {
          const lines = [...box.querySelectorAll('.line')];
          const places = lines.map(each => each.getBoundingClientRect());
          places.sort((one, other) => one.top - other.top);
          return places.slice(1).map((each, index) => Math.abs(each.top - places[index].bottom));
        }"""
    )
    return max(gaps)


async def test_a_transcript_of_four_hours_draws_only_what_is_seen(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    lines = [f"line number {n} " + "and more words " * (n % 12) for n in range(LINES)]
    empty_mesh.stages["asr"].answer = spoken(*lines)
    made = await add(web.grpc)
    await library.goto(f"{web.url}/recordings/{made.job_id}?t={SECONDS * 3000}")
    current = library.locator(".line.current")
    await expect(current).to_contain_text("line number 3000", timeout=60_000)
    await expect(current).to_be_in_viewport()
    assert await library.locator(".line").count() < 100
    box = library.locator(".transcript")
    await box.hover()
    for _ in range(20):
        await library.mouse.wheel(0, 4000)
    # Scrolling by hand leaves the place, and the button leads back to it.
    await expect(current).to_have_count(0)
    assert await widest_gap(box) < MOST_GAP_PX
    await library.get_by_role("button", name="Follow").click()
    await expect(current).to_be_in_viewport()


async def test_lines_that_break_elsewhere_in_another_width_do_not_overlap(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    lines = [f"number {n} " + "a line of several words " * 3 for n in range(60)]
    empty_mesh.stages["asr"].answer = spoken(*lines)
    made = await add(web.grpc)
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    box = library.locator(".transcript")
    await expect(box.locator(".line").first).to_be_visible()
    before = await box.locator(".strip").evaluate("strip => strip.clientHeight")
    await library.set_viewport_size({"width": 390, "height": 844})
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await box.locator(".strip").evaluate("strip => strip.clientHeight") <= before:
            await asyncio.sleep(0.05)
    assert await widest_gap(box) < MOST_GAP_PX
    # What is not drawn on the screen is on paper.
    assert await library.locator(".line").count() < len(lines)
    printed = pypdfium2.PdfDocument(await library.pdf())
    text = "".join(page.get_textpage().get_text_bounded() for page in printed)
    printed.close()
    assert [n for n in range(len(lines)) if f"number {n} " not in text] == []
    assert await library.locator(".line").count() < len(lines)


async def test_a_word_leads_to_its_moment_and_doubtful_ones_are_marked(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    empty_mesh.stages["asr"].answer = spoken("one two three four", "five six", confidence=0.25)
    made = await add(web.grpc)
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    word = library.get_by_text("three", exact=True)
    await expect(word).to_have_attribute("title", "Unsure: 25%")
    await word.click()
    await expect(library.locator(".now")).to_have_text("three")
    await expect(library.locator(".controls .time").first).to_have_text("0:02")
    await library.keyboard.press("ArrowRight")
    await expect(library.locator(".line.current")).to_contain_text("five six")


async def test_a_failed_recording_says_why(library: Page, web: Web, empty_mesh: EmptyMesh) -> None:
    async def damaged(_: object) -> None:
        raise StageError(
            Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged; export it again."
        )

    empty_mesh.stages["preprocess"].hook = damaged
    made = await add(web.grpc)
    assert made.state == job.JOB_STATE_FAILED
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    await expect(library.locator(".notice.bad")).to_contain_text("It is damaged; export it again.")


async def test_a_recording_that_is_not_there_says_so(library: Page, web: Web) -> None:
    await library.goto(f"{web.url}/recordings/01a23293-1dba-7525-bbae-5b05bc86daf6")
    await expect(library.get_by_role("alert")).to_contain_text("job")
