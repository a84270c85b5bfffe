"""Recording in the browser, which loses nothing by an accident and becomes a job."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from maie.job.v1 import job_pb2 as job
from tests.browser import complaints
from tests.waiting import PATIENCE_SECONDS
from tests.web.conftest import Web
from tests.web.console.listening import address_of, listening_mesh, listening_page
from tests.web.console.recordings import needs_console

pytestmark = [*needs_console]

# Headless Chromium cannot capture a tab. This stands in for its choice of one: a picture, and a
# tone where the person shares sound.
SHARE_A_TAB = """
navigator.mediaDevices.getDisplayMedia = async () => {
  const picture = document.createElement("canvas");
  picture.getContext("2d").fillRect(0, 0, 1, 1);
  const shared = picture.captureStream(1);
  if (WITH_SOUND) {
    const sound = new AudioContext();
    const out = sound.createMediaStreamDestination();
    const tone = sound.createOscillator();
    tone.connect(out);
    tone.start();
    shared.addTrack(out.stream.getAudioTracks()[0]);
  }
  window.picture = shared.getVideoTracks()[0];
  return shared;
};
"""
PLAYER = "document.querySelector('.recorder audio')"


@pytest.fixture
async def recorder(web: Web, tmp_path: Path) -> AsyncIterator[Page]:
    """The upload page of a browser that hears something."""
    async with listening_page(tmp_path) as page:
        found = complaints(page)
        await page.goto(f"{web.url}/upload")
        await page.get_by_label("Summary", exact=True).uncheck()
        yield page
        # A request that a test refuses is an error in the console.
        assert [each for each in found.errors if "ERR_FAILED" not in each] == []
        assert found.elsewhere == []


@pytest.mark.slow
async def test_a_recording_of_the_microphone_becomes_a_transcript(tmp_path: Path) -> None:
    async with listening_mesh(tmp_path) as mesh, listening_page(tmp_path) as page:
        found = complaints(page)
        await page.goto(f"{address_of(mesh)}/upload")
        await expect(page.get_by_label("Template of the summary")).to_be_enabled()
        await _record(page, seconds=5)
        await expect(_unsent(page)).to_have_count(1)
        # The page's policy forbids `wait_for_function`, which polls within the page by eval.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await page.evaluate(f"{PLAYER}?.duration < 1000"):
                await asyncio.sleep(0.05)
        await page.get_by_role("button", name="Send").click()
        row = page.locator(".rows .row", has_text="Recording 2")
        await expect(row.get_by_text("Complete")).to_be_visible()
        await expect(_unsent(page)).to_have_count(0)
        await row.get_by_role("link").click()
        spoken = page.locator(".spoken").first
        await expect(spoken).to_contain_text("good morning", ignore_case=True)
        assert found.errors == found.elsewhere == []


async def test_what_was_recorded_outlives_its_page(recorder: Page) -> None:
    other = await recorder.context.new_page()
    await _record(recorder, seconds=2, stop=False)
    # While it is recorded, no other window offers it.
    await other.goto(recorder.url)
    await expect(other.get_by_role("heading", name="Record", exact=True)).to_be_visible()
    await expect(_unsent(other)).to_have_count(0)
    await recorder.close(run_before_unload=False)
    await other.reload()
    await expect(_unsent(other)).to_have_count(1)
    await expect(_unsent(other).locator(".time")).not_to_have_text("0:00")
    await other.get_by_role("button", name="Discard").click()
    await other.get_by_role("button", name="Keep").click()
    await other.get_by_role("button", name="Discard").click()
    await other.get_by_role("button", name="Discard").click()
    await expect(_unsent(other)).to_have_count(0)
    await other.reload()
    await expect(other.get_by_role("heading", name="Record", exact=True)).to_be_visible()
    await expect(_unsent(other)).to_have_count(0)


async def test_the_sound_of_a_tab_is_recorded_without_its_picture(recorder: Page) -> None:
    await recorder.evaluate(SHARE_A_TAB.replace("WITH_SOUND", "true"))
    await _choose_tab(recorder)
    await _record(recorder, seconds=1, stop=False)
    level = recorder.get_by_label("Level of Record")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not float(await level.get_attribute("value") or 0):
            await asyncio.sleep(0.05)
    assert await recorder.evaluate("window.picture.readyState") == "ended"
    await recorder.get_by_role("button", name="Stop").click()
    await expect(_unsent(recorder)).to_have_count(1)


async def test_a_tab_that_shares_no_sound_is_not_recorded(recorder: Page) -> None:
    await recorder.evaluate(SHARE_A_TAB.replace("WITH_SOUND", "false"))
    await _choose_tab(recorder)
    await recorder.get_by_role("button", name="Record", exact=True).click()
    await expect(recorder.get_by_role("alert")).to_contain_text("No sound was shared")
    await expect(_unsent(recorder)).to_have_count(0)


async def test_a_page_that_records_asks_before_it_is_closed(recorder: Page) -> None:
    await _record(recorder, seconds=1, stop=False)
    async with recorder.expect_event("dialog") as asked:
        await recorder.close(run_before_unload=True)
    dialog = await asked.value
    assert dialog.type == "beforeunload"
    await dialog.dismiss()
    await recorder.get_by_role("button", name="Stop").click()
    await expect(_unsent(recorder)).to_have_count(1)


async def test_what_could_not_be_sent_is_still_there(recorder: Page, web: Web) -> None:
    await _record(recorder, seconds=1)
    await recorder.route("**/v1/uploads", lambda route: route.abort())
    await recorder.get_by_role("button", name="Send").click()
    await expect(recorder.get_by_text("The server does not answer")).to_be_visible()
    await recorder.locator(".rows").get_by_role("button", name="Stop").click()
    await recorder.unroute("**/v1/uploads")
    await recorder.reload()
    await recorder.get_by_label("Summary", exact=True).uncheck()
    await recorder.get_by_role("button", name="Send").click()
    await expect(recorder.get_by_text("Complete")).to_be_visible()
    made = [each async for each in web.grpc.list_jobs()]
    assert [each.state for each in made] == [job.JOB_STATE_COMPLETE]


async def _record(page: Page, seconds: int, *, stop: bool = True) -> None:
    """Records for some seconds."""
    await page.get_by_role("button", name="Record", exact=True).click()
    await expect(page.locator(".recorder").get_by_label("Level of Record")).to_be_visible()
    await expect(page.locator(".recorder .live-controls .time")).to_have_text(
        re.compile(rf"0:0[{seconds}-9]|0:[1-9].|[1-9].*:")
    )
    if stop:
        await page.get_by_role("button", name="Stop").click()


async def _choose_tab(page: Page) -> None:
    await page.get_by_label("Microphone", exact=True).uncheck()
    await page.get_by_label("Sound of a tab or the system").check()


def _unsent(page: Page) -> Locator:
    """What was recorded and not sent."""
    return page.locator(".recorder .row")
