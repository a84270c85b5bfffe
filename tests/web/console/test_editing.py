"""People correct a transcript on the recording's page, and nobody loses anything."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from maie.job.v1 import job_pb2 as job
from tests.gateway.conftest import EmptyMesh
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web
from tests.web.console.barriers import no_barriers
from tests.web.console.recordings import add, needs_console, spoken

pytestmark = [*needs_console]

LINES = ("we wreck a nice beach", "all agree on that", "thank you")
ATTACK = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture
async def made(web: Web, empty_mesh: EmptyMesh) -> job.Job:
    """A recording of three lines."""
    empty_mesh.stages["asr"].answer = spoken(*LINES, punctuated=True)
    return await add(web.grpc)


@pytest.fixture
async def opened(library: Page, web: Web, made: job.Job) -> Page:
    """Its page, in which lines can be edited."""
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    await library.get_by_role("button", name="Edit", exact=True).click()
    return library


def line(page: Page, number: int) -> Locator:
    """A line of the transcript."""
    return page.locator(".line.segment").nth(number)


async def texts(web: Web, made: job.Job, revision: int | None = None) -> list[str]:
    """The lines of a revision as they are stored."""
    found = await web.grpc.revisions.get(made.job_id, revision)
    return [each.text for each in found.segments]


async def save(page: Page) -> None:
    """Saves by the keyboard, and waits until that is done."""
    await page.keyboard.press("Control+s")
    await expect(page.locator(".edit-state")).to_have_text("Saved.")


async def test_a_line_is_corrected_saved_and_there_after_a_reload(
    opened: Page, web: Web, made: job.Job
) -> None:
    state = opened.locator(".edit-state")
    await expect(state).to_have_text("No changes yet.")
    await line(opened, 0).get_by_text("wreck", exact=True).click()
    await opened.keyboard.press("Control+a")
    await opened.keyboard.type("We recognise speech.")
    await expect(state).to_have_text("One unsaved change")
    await save(opened)
    assert await texts(web, made) == ["We recognise speech.", *LINES[1:]]
    assert await texts(web, made, 0) == list(LINES)
    await opened.reload()
    await expect(line(opened, 0)).to_contain_text("We recognise speech.")
    # The words that are new are followed, too.
    await line(opened, 0).get_by_text("recognise").click()
    await expect(opened.locator(".now")).to_have_text("recognise")


async def test_lines_are_split_and_joined_by_keys_alone(
    opened: Page, web: Web, made: job.Job
) -> None:
    await line(opened, 1).get_by_role("button", name="Edit the line").focus()
    await opened.keyboard.press("Enter")
    for _ in range(len(" on that")):
        await opened.keyboard.press("ArrowLeft")
    await opened.keyboard.press("Enter")
    await expect(opened.locator(".line.segment")).to_have_count(4)
    await opened.keyboard.press("Control+z")
    await expect(opened.locator(".line.segment")).to_have_count(3)
    await opened.keyboard.press("Control+Shift+z")
    await expect(opened.locator(".line.segment")).to_have_count(4)
    await line(opened, 1).get_by_role("button", name="Edit the line").focus()
    await opened.keyboard.press("Enter")
    await opened.keyboard.press("Home")
    await opened.keyboard.press("Backspace")
    await expect(opened.locator(".line.segment")).to_have_count(3)
    await save(opened)
    assert await texts(web, made) == [f"{LINES[0]} all agree", "on that", LINES[2]]


async def test_what_is_not_saved_survives_a_reload(opened: Page, web: Web, made: job.Job) -> None:
    await line(opened, 2).get_by_text("you").click()
    await opened.keyboard.type(" all")
    await expect(opened.locator(".edit-state")).to_have_text("One unsaved change")
    await opened.reload()
    await expect(line(opened, 2)).to_contain_text("thank you all")
    await expect(opened.locator(".editing")).to_contain_text("this browser kept them")
    await opened.get_by_role("button", name="Discard").click()
    await expect(line(opened, 2)).not_to_contain_text("all")
    await opened.reload()
    await expect(opened.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    assert await web.grpc.revisions.list(made.job_id) == []


async def test_people_go_back_and_the_versions_stay(opened: Page, web: Web, made: job.Job) -> None:
    await line(opened, 2).get_by_text("you").click()
    await opened.keyboard.type(" all")
    await save(opened)
    history = opened.get_by_role("region", name="Versions of the transcript")
    await expect(history).to_contain_text("one line changed")
    await history.get_by_role("link", name="View the original").click()
    await expect(opened.get_by_text("as it was made.")).to_be_visible()
    await expect(line(opened, 2)).not_to_contain_text("all")
    download = opened.get_by_role("link", name="Text", exact=True)
    assert (await download.get_attribute("href") or "").endswith("/results/txt?revision=0")
    await opened.get_by_role("link", name="See the newest").click()
    await history.get_by_role("button", name="Go back to the original").click()
    await expect(history).to_contain_text("Version 2")
    await expect(history).to_contain_text("back to how it was made")
    await expect(line(opened, 2)).not_to_contain_text("all")
    assert await texts(web, made, 1) == [*LINES[:2], "thank you all"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [("Keep theirs", ["theirs", LINES[1], LINES[2]]), ("Put my", ["theirs", LINES[1], "mine"])],
)
async def test_two_people_at_once_notice_each_other(
    opened: Page, browser: Browser, web: Web, made: job.Job, choice: str, expected: list[str]
) -> None:
    other = await (await browser.new_context()).new_page()
    await other.goto(opened.url)
    await other.get_by_role("button", name="Edit", exact=True).click()
    await line(other, 0).get_by_text("wreck", exact=True).click()
    await other.keyboard.press("Control+a")
    await other.keyboard.type("theirs")
    await save(other)
    await other.close()
    await line(opened, 2).get_by_text("you").click()
    await opened.keyboard.press("Control+a")
    await opened.keyboard.type("mine")
    await opened.keyboard.press("Control+s")
    await expect(opened.get_by_role("alert")).to_contain_text("Somebody else saved")
    await expect(line(opened, 0)).to_contain_text("theirs")
    await opened.get_by_role("button", name=choice).click()
    await expect(opened.get_by_role("alert")).to_have_count(0)
    shown = opened.locator(".line.segment")
    for number, text in enumerate(expected):
        await expect(shown.nth(number)).to_contain_text(text)
    assert await texts(web, made) == ["theirs", *LINES[1:]]


async def test_a_correction_is_never_markup(opened: Page, web: Web, made: job.Job) -> None:
    await line(opened, 2).get_by_text("you").click()
    await opened.keyboard.press("Control+a")
    await opened.keyboard.type(ATTACK)
    await save(opened)
    await opened.reload()
    await expect(line(opened, 2)).to_contain_text("onerror=")
    assert await opened.locator("main img").count() == 0
    assert "owned" not in await opened.title()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not [hit async for hit in web.grpc.search_jobs("onerror")]:
            await asyncio.sleep(0.05)


async def test_everybody_can_edit(opened: Page) -> None:
    await line(opened, 2).get_by_text("you").click()
    await opened.keyboard.type(" all")
    await no_barriers(opened)


async def test_a_correction_is_summarised_again_by_one_button(
    opened: Page, web: Web, made: job.Job
) -> None:
    await line(opened, 2).get_by_text("you").click()
    await opened.keyboard.type(" all")
    await save(opened)
    await opened.locator(".again select").select_option("meeting_notes_v1")
    await opened.get_by_role("button", name="Summarise again").click()
    await expect(opened.get_by_text("A summary of version 1 of a transcript.")).to_be_visible()
    await expect(line(opened, 2)).to_contain_text("thank you all")
    await expect(opened.locator("div.summary")).to_be_visible()
    await opened.get_by_role("link", name="Go to the recording").click()
    others = opened.get_by_role("region", name="Other summaries")
    await expect(others).to_contain_text("of version 1")
