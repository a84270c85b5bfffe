"""The library: search, filters, bulk actions, keys."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web
from tests.web.console.recordings import add, needs_console, spoken

pytestmark = [*needs_console]


@pytest.fixture
async def talks(web: Web, empty_mesh: EmptyMesh) -> list[str]:
    """Three recordings, the newest last."""
    lines = {
        "budget.wav": "the budget is ready",
        "release.wav": "the release comes on thursday",
        "standup.wav": "nobody has questions",
    }
    ids = []
    for number, (name, line) in enumerate(lines.items()):
        empty_mesh.stages["asr"].answer = spoken(line)
        made = await add(web.grpc, name, labels={"n": str(number)})
        ids.append(made.job_id)
    return ids


async def test_an_empty_library_leads_to_the_upload(library: Page) -> None:
    await expect(library.get_by_role("heading", name="No recordings yet")).to_be_visible()
    await library.locator(".empty").get_by_role("link", name="Upload").click()
    await expect(library).to_have_url(re.compile("/upload$"))


async def test_search_finds_moments_while_one_types(library: Page, talks: list[str]) -> None:
    await library.reload()
    await expect(library.locator("tbody tr")).to_have_count(len(talks))
    search = library.get_by_role("searchbox")
    await search.press_sequentially("relea")
    await expect(library.locator("tbody tr")).to_have_count(1, timeout=30_000)
    await expect(library.locator("mark")).to_have_text("release")
    await library.locator(".moments a").click()
    await expect(library.locator(".line.current")).to_contain_text("the release comes")
    await library.go_back()
    await expect(search).to_have_value("relea")
    await search.fill("zebra")
    await expect(library.get_by_role("heading", name="Nothing matches")).to_be_visible()


async def test_filters_are_kept_in_the_address(library: Page, talks: list[str]) -> None:
    await library.get_by_label("Label").fill("n=1")
    await library.keyboard.press("Enter")
    await expect(library.locator("tbody tr")).to_have_count(1)
    await expect(library.locator("tbody")).to_contain_text("release.wav")
    await library.reload()
    await expect(library.locator("tbody tr")).to_have_count(1)
    await library.get_by_label("Spoken language").select_option("de")
    await expect(library.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await library.get_by_role("button", name="Clear filters").first.click()
    await library.get_by_label("Speaker").fill("nobody")
    await library.keyboard.press("Enter")
    await expect(library.get_by_role("heading", name="Nothing matches")).to_be_visible()
    await library.get_by_role("button", name="Clear filters").first.click()
    await expect(library.locator("tbody tr")).to_have_count(len(talks))


async def test_all_of_it_can_be_done_with_keys(library: Page, web: Web, talks: list[str]) -> None:
    await library.reload()
    await expect(library.locator("tbody tr")).to_have_count(len(talks))
    keys = library.keyboard
    await keys.press("ArrowDown")
    await keys.press("ArrowDown")
    await expect(library.get_by_role("link", name="release.wav")).to_be_focused()
    await keys.press("x")
    await expect(library.get_by_text("One selected")).to_be_visible()
    await keys.press("Delete")
    question = library.get_by_role("dialog")
    await expect(question).to_be_visible()
    await keys.press("Escape")
    await expect(question).to_be_hidden()
    assert len([each async for each in web.grpc.list_jobs()]) == len(talks)
    await library.get_by_role("button", name="Delete").click()
    await question.get_by_role("button", name="Delete").click()
    await expect(library.locator("tbody tr")).to_have_count(len(talks) - 1)
    left = {each.job_id async for each in web.grpc.list_jobs()}
    assert left == {talks[0], talks[2]}
    await keys.press("/")
    await expect(library.get_by_role("searchbox")).to_be_focused()
