"""An upload of the console goes on after a break, and after its page was closed."""

from __future__ import annotations

import os
import random
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Page, Request, expect

from tests.chaos.silence import SilentProxy
from tests.web.conftest import Web, key_of, web_before
from tests.web.console.recordings import needs_console

pytestmark = [*needs_console]

MEBIBYTE = 1024 * 1024
AUDIO = b"RIFF\0\0\0\0WAVE" + random.Random(7).randbytes(12 * MEBIBYTE)
# The page takes a connection for broken after less than this.
SILENCE = "01:00"
# The longest one, unless the server says more.
PAUSE = "00:30"


async def test_an_upload_goes_on_after_silence_and_after_its_page_was_closed(
    web: Web, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "talk.wav"
    file.write_bytes(AUDIO)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    requests: list[Request] = []
    page.context.on("request", lambda request: requests.append(request))
    async with SilentProxy(urlsplit(web.url).netloc, most_bytes=5 * MEBIBYTE) as line:
        await page.clock.install()
        await page.goto(f"http://{line.address}/upload")
        await page.get_by_label("Template of the summary").select_option("meeting_notes_v1")
        await page.locator("input[type=file]").first.set_input_files(file)
        row = page.locator(".rows .row", has_text="talk.wav")
        await line.spent.wait()
        await page.clock.fast_forward(SILENCE)
        await expect(row).to_contain_text("The server does not answer. Paused at")
        line.most_bytes = line.passed_bytes + 5 * MEBIBYTE
        line.spent.clear()
        await page.clock.fast_forward(PAUSE)
        await line.spent.wait()
        await page.close(run_before_unload=False)

        line.most_bytes = None
        again = await page.context.new_page()
        await again.goto(f"http://{line.address}/upload")
        row = again.locator(".rows .row", has_text="talk.wav")
        await expect(row).to_contain_text("Choose the same file again")
        await expect(row.locator("progress")).not_to_have_attribute("value", "0")
        await again.locator("input[type=file]").first.set_input_files(file)
        await expect(row.get_by_text("Complete")).to_be_visible()
        (made,) = [each async for each in web.grpc.list_jobs()]
        assert b"".join([part.audio async for part in web.grpc.get_audio(made.job_id)]) == AUDIO
        assert [_path(each) for each in requests if each.method == "POST"] == ["/v1/uploads"]
        assert await again.evaluate("localStorage.getItem('maie.unfinished')") is None


async def test_an_upload_waits_for_somebody_to_log_in_again(
    web: Web, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "talk.wav"
    file.write_bytes(AUDIO[:1000])
    key = await key_of(web.grpc)
    async with web_before(web.grpc, local_user=False) as closed:
        await page.goto(f"{closed.url}/login?back=/upload")
        await _log_in(page, key)
        await page.get_by_label("Template of the summary").select_option("meeting_notes_v1")
        await page.context.clear_cookies()
        await page.locator("input[type=file]").first.set_input_files(file)
        row = page.locator(".rows .row", has_text="talk.wav")
        await expect(row).to_contain_text("Paused at 0%")
        async with page.expect_popup() as opened:
            await row.get_by_role("link", name="Log in in another window").click()
        await _log_in(await opened.value, key)
        await expect(row.get_by_text("Complete")).to_be_visible()


async def _log_in(page: Page, key: str) -> None:
    await page.get_by_label("API key or token").fill(key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Log out")).to_be_visible()


def _path(request: Request) -> str:
    return urlsplit(request.url).path
