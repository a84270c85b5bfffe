"""From a file in the browser to its summary."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.browser import complaints
from tests.mesh.conftest import RunningMesh
from tests.web.console.recordings import ROOT, needs_console

pytestmark = [*needs_console]

PATIENCE_MS = 200_000
# When David's task is spoken of in the recording.
SECONDS_OF_DAVID = 35.3
FASTEST = 3
STANDUP = ROOT / "samples/standup.flac"

# What was asked for; the report of the sound may be among them, too.
UNITS = (
    *("preprocess", "asr.0000", "asr.0001", "enhancement.0000", "enhancement.0001"),
    *("summary.map.0000", "summary.map.0001", "summary.reduce"),
)


async def test_a_recording_becomes_a_summary_that_leads_to_its_moments(
    shared_mesh: RunningMesh,
    page: Page,
) -> None:
    found = complaints(page)
    address = shared_mesh.layout.address_file("web").read_text()
    await page.goto(f"http://{address}/upload")
    await page.get_by_label("Template of the summary").select_option("meeting_notes_v1")
    await page.locator("input[type=file]").first.set_input_files(STANDUP)
    row = page.locator(".row", has_text="standup.flac")
    await expect(row.get_by_label("Transcribe")).to_be_visible(timeout=PATIENCE_MS)
    # The job is on the server: a page that is opened again goes on with it.
    await page.reload()
    await expect(row.get_by_label("Transcribe")).to_be_visible(timeout=PATIENCE_MS)
    await expect(row.get_by_text("Complete")).to_be_visible(timeout=PATIENCE_MS)
    await row.get_by_role("link", name="standup.flac").click()
    item = page.locator('[data-pointer="/action_items/0"]')
    await expect(item).to_contain_text("Write the release notes")
    await item.get_by_role("button").click()
    lit = page.locator(".line.lit")
    await expect(lit).to_have_count(1)
    await expect(lit).to_contain_text(re.compile("David will write the release notes"))
    await expect(lit).to_have_attribute("aria-current", "true")
    await _plays_from(page, SECONDS_OF_DAVID)
    for unit in UNITS:
        await expect(page.locator(".waterfall").get_by_text(unit, exact=True)).to_be_visible()
    async with page.expect_download() as started:
        await page.get_by_role("link", name="SubRip").click()
    saved = await started.value
    assert saved.suggested_filename == "standup.srt"
    assert "--> " in await asyncio.to_thread((await saved.path()).read_text, encoding="utf-8")
    assert found.errors == found.elsewhere == []


async def _plays_from(page: Page, start: float) -> None:
    """The sound is where the transcript is, and goes on at the speed that is chosen."""

    async def time() -> float:
        return float(await audio.evaluate("audio => audio.currentTime"))

    audio = page.locator("audio")
    assert await time() == pytest.approx(start, abs=1)
    await page.locator("h1").click()
    await page.keyboard.press("s")
    skips = page.get_by_role("button", name="Skip silence")
    await expect(skips).to_have_attribute("aria-pressed", "true")
    for _ in range(8):
        await page.keyboard.press(">")
    assert await audio.evaluate("audio => audio.playbackRate") == FASTEST
    await page.keyboard.press(" ")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    # The transcript follows to the next line.
    await expect(page.locator(".line.current")).to_contain_text("And Susan will send")
    await page.keyboard.press(" ")
    await expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert await time() > start + 1
