"""What holds for all pages: themes, languages, access for everybody, text that stays text."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page, expect

from maie.access.v1 import access_pb2 as access
from tests.browser import complaints
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web, web_before
from tests.web.console.barriers import DESK, PHONE, fits
from tests.web.console.recordings import add, needs_console, spoken

pytestmark = [*needs_console]

ATTACK = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


async def test_names_labels_and_transcripts_are_never_markup(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    empty_mesh.stages["asr"].answer = spoken(f"hello {ATTACK}")
    made = await add(web.grpc, ATTACK, labels={"note": ATTACK})
    await library.reload()
    await expect(library.get_by_role("link", name=ATTACK)).to_be_visible()
    await expect(library.locator(".labels")).to_contain_text(ATTACK)
    await library.get_by_role("searchbox").fill("hello")
    await expect(library.locator(".moments")).to_contain_text("<img", timeout=30_000)
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    await expect(library.get_by_role("heading", name=ATTACK)).to_be_visible()
    await expect(library.locator(".spoken")).to_contain_text("onerror=")
    assert await library.locator("main img, main script").count() == 0
    assert "owned" not in (await library.title()).split("<")[0]


async def test_who_is_not_known_logs_in_and_comes_back(shared_web: Web, page: Page) -> None:
    made = await shared_web.grpc.keys.create(tenant="default", scopes=[access.SCOPE_READ])
    async with web_before(shared_web.grpc, local_user=False) as closed:
        await page.goto(f"{closed.url}/?state=FAILED")
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        field = page.get_by_label("API key or token")
        await field.fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("credentials")
        await field.fill(made.api_key)
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("State")).to_have_value("FAILED")
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        await page.goto(closed.url)
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.parametrize(
    "back", ["//elsewhere.example/x", "https://elsewhere.example/x", "/\\elsewhere.example/x"]
)
async def test_a_login_leads_to_no_other_site(shared_web: Web, page: Page, back: str) -> None:
    made = await shared_web.grpc.keys.create(tenant="default", scopes=[access.SCOPE_READ])
    await page.goto(f"{shared_web.url}/login?{urlencode({'back': back})}")
    await page.get_by_label("API key or token").fill(made.api_key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert page.url.startswith(f"{shared_web.url}/")


async def test_the_theme_follows_the_system_until_one_is_chosen(library: Page) -> None:
    async def dark() -> bool:
        colour: str = await library.evaluate(
            "getComputedStyle(document.body.parentElement).backgroundColor"
        )
        return sum(map(int, colour.removeprefix("rgb(").removesuffix(")").split(","))) < 200

    await library.emulate_media(color_scheme="light")
    assert not await dark()
    await library.emulate_media(color_scheme="dark")
    assert await dark()
    await library.get_by_role("radio", name="Light").check()
    assert not await dark()
    await library.reload()
    await expect(library.get_by_role("radio", name="Light")).to_be_checked()
    assert not await dark()


async def test_the_language_can_be_chosen_and_stays(library: Page) -> None:
    await library.locator(".languages").get_by_role("combobox").select_option("de")
    await expect(library.get_by_role("heading", name="Bibliothek")).to_be_visible()
    await library.reload()
    await expect(library.get_by_role("heading", name="Noch keine Aufnahmen")).to_be_visible()
    assert await library.evaluate("document.documentElement.lang") == "de"


# Colours are those of the theme, and what is shown that of the size.
@pytest.mark.parametrize(
    ("scheme", "size"), [("light", DESK), ("dark", PHONE)], ids=["desk", "phone"]
)
async def test_no_page_has_a_serious_barrier(
    browser: Browser, web: Web, empty_mesh: EmptyMesh, scheme: Any, size: Any
) -> None:
    empty_mesh.stages["asr"].answer = spoken("hello there", "well hello", confidence=0.3)
    made = await add(web.grpc, labels={"a": "b"})
    async with await browser.new_context(color_scheme=scheme, viewport=size) as context:
        page = await context.new_page()
        paths = ("/", "/?q=hello", "/upload", "/live", "/live/captions", "/login")
        templates = ("/templates", "/templates/new", "/templates/lecture_v1")
        for path in (*paths, *templates, f"/recordings/{made.job_id}"):
            await page.goto(web.url + path)
            await page.wait_for_load_state("networkidle")
            await expect(page.locator("h1")).to_be_attached()
            await fits(page, size["width"])


async def test_the_documentation_shows_the_routes_without_other_hosts(
    shared_web: Web, page: Page
) -> None:
    found = complaints(page)
    await page.goto(f"{shared_web.url}/docs")
    route = page.get_by_role("button", name="get /v1/jobs/{job_id}", exact=True)
    await expect(route).to_be_visible()
    await route.click()
    await expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    assert found.errors == []
    assert found.elsewhere == []
