"""Live captions from a microphone, on a real mesh, through breaks of all that is on the way."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser import complaints
from tests.chaos.silence import SilentProxy
from tests.web.conftest import Web
from tests.web.console.listening import (
    address_of,
    lines_of,
    listening_mesh,
    listening_page,
    recording_of,
    said,
    transcript_of,
)
from tests.web.console.recordings import needs_console

pytestmark = [*needs_console]

# From the beginning to the end of what is spoken.
SPOKEN_ONCE = (
    "good morning",
    "search page",
    "customers think",
    "very happy",
    "on thursday",
    "old price",
    "invoice",
    "database was full",
    "support team",
    "next week",
)
# Each break may divide a word, which is then read as another one; the model misreads some, too.
MOST_MISREAD = 4


async def test_what_is_said_becomes_captions_and_a_recording_with_keys_alone(
    tmp_path: Path,
) -> None:
    async with listening_mesh(tmp_path) as mesh, listening_page(tmp_path) as page:
        found = complaints(page)
        url = address_of(mesh)
        await page.goto(f"{url}/live")
        await expect(page.get_by_label("Template of the summary")).to_be_enabled()
        await _press(page, "Start")
        await said(page, "Good morning")
        await expect(page.get_by_label("Level of Microphone")).to_be_visible()
        captions = await _open_captions(page)
        await expect(captions.locator(".said")).to_contain_text("Good morning")
        await _press(page, "Pause")
        await expect(page.get_by_text("Paused")).to_be_visible()
        await _press(page, "Go on")
        # It goes on while other pages of the console are shown.
        await page.get_by_role("link", name="Library").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Library")).to_be_visible()
        await expect(page.get_by_role("img", name="Running")).to_be_visible()
        await page.get_by_role("link", name="Live").focus()
        await page.keyboard.press("Enter")
        await said(page, "release notes")
        await expect(captions.locator(".said")).to_contain_text("release notes")
        await _press(page, "Stop")
        job = await recording_of(page)
        lines = await lines_of(page)
        assert lines == await transcript_of(url, job)
        await _press(page, "Open the recording", role="link")
        await expect(page.get_by_role("heading", name=re.compile("^Live, "))).to_be_visible()
        await expect(page.locator(".spoken").first).to_contain_text("Good morning")
        await expect(page.locator("[data-pointer]").first).to_be_visible()
        await expect(page.get_by_role("button", name="Play")).to_be_enabled()
        assert found.errors == found.elsewhere == []


@pytest.mark.slow
async def test_breaks_on_the_way_lose_and_double_no_line(tmp_path: Path) -> None:
    """The connection breaks, the web part is killed, a gateway is killed; each comes back."""
    async with listening_mesh(tmp_path) as mesh, listening_page(tmp_path) as page:
        url = address_of(mesh)
        async with SilentProxy(url.removeprefix("http://")) as proxy:
            await page.goto(f"http://{proxy.address}/live")
            await page.get_by_label("Summary", exact=True).uncheck()
            await page.get_by_role("button", name="Start").click()
            await said(page, "Good morning")
            proxy.takes_new.clear()
            proxy.hang_up()
            trouble = page.get_by_text("There is no connection")
            await expect(trouble).to_be_visible()
            proxy.takes_new.set()
            await expect(trouble).to_be_hidden()
            await said(page, "great news")
            mesh.children["web"].signal(signal.SIGKILL)
            await expect(trouble).to_be_visible()
            await expect(trouble).to_be_hidden()
            await said(page, "old price")
            mesh.children["gateway"].signal(signal.SIGKILL)
            await said(page, "next week")
            await page.get_by_role("button", name="Stop").click()
            job = await recording_of(page)
            lines = await lines_of(page)
        assert lines == await transcript_of(url, job)
        text = " ".join(lines).lower()
        counts = {words: text.count(words) for words in SPOKEN_ONCE}
        assert max(counts.values()) == 1, (counts, lines)
        assert list(counts.values()).count(0) <= MOST_MISREAD, (counts, lines)


@pytest.mark.slow
async def test_a_connection_that_falls_silent_is_left(tmp_path: Path) -> None:
    async with (
        listening_mesh(tmp_path) as mesh,
        listening_page(tmp_path) as page,
        SilentProxy(address_of(mesh).removeprefix("http://")) as proxy,
    ):
        await page.goto(f"http://{proxy.address}/live")
        await page.get_by_label("Summary", exact=True).uncheck()
        await page.get_by_role("button", name="Start").click()
        await said(page, "Good morning")
        proxy.fall_silent()
        await said(page, "old price")
        await page.get_by_role("button", name="Stop").click()
        await recording_of(page)


async def test_without_a_live_engine_the_page_says_so(web: Web, tmp_path: Path) -> None:
    async with listening_page(tmp_path) as page:
        await page.goto(f"{web.url}/live")
        await page.get_by_label("Summary", exact=True).uncheck()
        await page.get_by_label("Clean transcript").uncheck()
        await page.get_by_label("Raw transcript").check()
        await page.get_by_role("button", name="Start").click()
        await expect(page.get_by_role("alert")).to_contain_text("Nothing in the mesh reads")
        await page.get_by_role("button", name="Stop").click()
        await page.get_by_role("button", name="Do not wait").click()
        await recording_of(page)


async def test_without_a_microphone_the_page_says_what_to_do(web: Web, page: Page) -> None:
    await page.goto(f"{web.url}/live")
    await page.get_by_label("Summary", exact=True).uncheck()
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("alert")).to_contain_text(
        re.compile("microphone|does not allow this page to listen")
    )
    await page.get_by_label("Microphone", exact=True).uncheck()
    await expect(page.get_by_text("at least one source")).to_be_visible()
    await expect(page.get_by_role("button", name="Start")).to_be_disabled()


async def _press(page: Page, name: str, role: str = "button") -> None:
    """Presses a button as somebody without a mouse does."""
    await page.get_by_role(role, name=name).focus()  # type: ignore[arg-type]
    await page.keyboard.press("Enter")


async def _open_captions(page: Page) -> Page:
    async with page.context.expect_page() as opened:
        await _press(page, "Captions in a window", role="link")
    return await opened.value
