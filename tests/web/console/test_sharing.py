"""Sharing: a link is made, copied, read by a stranger and revoked."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, Page, Request, expect

from tests.browser import complaints
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web, web_before
from tests.web.console.barriers import DESK, PHONE, fits
from tests.web.console.recordings import add, needs_console, spoken

pytestmark = [*needs_console]


async def test_a_link_is_made_read_by_a_stranger_and_revoked(
    library: Page, web: Web, empty_mesh: EmptyMesh, browser: Browser
) -> None:
    empty_mesh.stages["asr"].answer = spoken("hello there", "well hello")
    made = await add(web.grpc, "Standup", labels={"case": "secret"})
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    await library.get_by_role("button", name="Share").press("Enter")
    dialog = library.get_by_role("dialog", name="Share this recording")
    await expect(dialog).to_contain_text("Nobody can read this recording by a link.")
    await dialog.get_by_label("The link works for").select_option("1 day")
    await dialog.get_by_label("Also the audio").check()
    await dialog.get_by_role("button", name="Make a link").press("Enter")
    field = dialog.get_by_label("The new link")
    await expect(field).to_be_focused()
    link = await field.input_value()
    secret = link.partition("#")[2]
    assert link.startswith(f"{web.url}/s/#maieshare_")
    await expect(dialog.get_by_text("with audio", exact=True)).to_be_visible()

    async with (
        # Whom nobody knows: here the user of this machine would be known.
        web_before(web.grpc, local_user=False) as elsewhere,
        await browser.new_context() as context,
    ):
        reader = await context.new_page()
        asked: list[Request] = []
        reader.on("request", lambda request: asked.append(request))
        found = complaints(reader)
        await reader.goto(f"{elsewhere.url}/s/#{secret}")
        await expect(reader.get_by_role("heading", name="Standup")).to_be_visible()
        await reader.get_by_text("well", exact=True).click()
        await expect(reader.locator(".line.current")).to_contain_text("well hello")
        await expect(reader.get_by_text("The link works until")).to_be_visible()
        assert await reader.get_by_text("secret").count() == 0
        async with reader.expect_download() as download:
            await reader.get_by_role("link", name="SubRip").click()
        assert "hello there" in (await (await download.value).path()).read_text()
        for request in asked:
            headers = await request.all_headers()
            assert secret not in request.url.partition("#")[0] + headers.get("referer", "")
        # The empty stages' recording has no sound that plays.
        assert [each for each in found.errors if "sound" in each] == []

        await dialog.get_by_role("button", name="Revoke the link").click()
        await expect(dialog).to_contain_text("Nobody can read this recording by a link.")
        await reader.reload()
        await expect(reader.get_by_text("This link does not work")).to_be_visible()
    await library.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def test_neither_dialog_nor_reader_has_a_serious_barrier(
    browser: Browser, web: Web, empty_mesh: EmptyMesh
) -> None:
    empty_mesh.stages["asr"].answer = spoken("hello there", "well hello")
    made = await add(web.grpc)
    token = (await web.grpc.shares.create(made.job_id, audio=True)).token
    for scheme, size in (("light", DESK), ("dark", PHONE)):
        options: Any = {"color_scheme": scheme, "viewport": size, "locale": "de"}
        async with await browser.new_context(**options) as context:
            page = await context.new_page()
            await page.goto(f"{web.url}/recordings/{made.job_id}")
            await page.get_by_role("button", name="Teilen").click()
            await page.get_by_role("button", name="Link erstellen").click()
            await expect(page.get_by_label("Der neue Link")).to_be_visible()
            if size is PHONE:
                await fits(page, size["width"])
            await page.goto(f"{web.url}/s/#{token}")
            await expect(page.get_by_role("heading", name="talk.wav")).to_be_visible()
            if size is DESK:
                await fits(page, size["width"])
            await page.goto(f"{web.url}/s/#nothing")
            await expect(page.get_by_text("Dieser Link funktioniert nicht")).to_be_visible()
