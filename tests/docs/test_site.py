"""The documentation as a site: no link is dead, and a browser shows every page as it is meant."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
import yaml
from markdown_it import MarkdownIt
from playwright.async_api import Page, ViewportSize, expect

from tests.browser import complaints, needs_chromium, serving
from tests.docs.conftest import ROOT, needs_mkdocs

pytestmark = [pytest.mark.mesh, needs_mkdocs]

NAVIGATION = (ROOT / "mkdocs.yml").read_text().split("\nnav:\n")[1]
# The pages of each tab.
TABS: dict[str, list[str]] = {
    tab: [page for entry in entries for page in entry.values()]
    for part in yaml.safe_load(NAVIGATION)
    for tab, entries in part.items()
}
SOURCES = [source for sources in TABS.values() for source in sources]
WINDOWS = {
    "desktop": ViewportSize(width=1280, height=900),
    "phone": ViewportSize(width=390, height=844),
}
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth > window.innerWidth"
PARTS = ("h1", "h2", "h3", "h4", "li", "ol", "ul", "pre", "table", "tr", "blockquote", "strong")


class Html(HTMLParser):
    """What there is in a page: elements by their tags, ids and the targets of links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        if tag == "a" and "href" in given:
            self.links.append(given["href"])

    @cached_property
    def structure(self) -> Counter[str]:
        return Counter({tag: self.tags[tag] for tag in PARTS if self.tags[tag]})


def place(source: str) -> str:
    """A page's address below that of the site: "" for the first, and "docs/api/"."""
    folder = source.removesuffix(".md").removesuffix("README").rstrip("/")
    return f"{folder}/" if folder else ""


def test_no_link_is_dead(site: Path) -> None:
    pages = {
        place(source): Html((site / place(source) / "index.html").read_text()) for source in SOURCES
    }
    assert {found.parent for found in site.rglob("index.html")} == {site / name for name in pages}
    dead = []
    for name, page in pages.items():
        for link in page.links:
            target, anchor = urldefrag(urljoin(f"http://site/{name}", link))
            if urlsplit(target).hostname != "site":
                continue
            there = pages.get(urlsplit(target).path.removeprefix("/"))
            if there is None or (anchor and unquote(anchor) not in there.ids):
                dead.append(f"{name}: {link}")
    assert dead == []


@pytest.mark.parametrize("source", SOURCES)
def test_a_page_has_the_structure_that_commonmark_gives_it(source: str, site: Path) -> None:
    """The site shows what GitHub shows."""
    text = (site / place(source) / "index.html").read_text()
    article = text[text.index("<article") : text.index("</article>")]
    meant = MarkdownIt("commonmark").enable("table").render((ROOT / source).read_text())
    assert Html(article).structure == Html(meant).structure


@needs_chromium
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("tab", TABS)
async def test_pages_complain_of_nothing_and_fit_the_window(
    tab: str, window: str, page: Page, site: Path
) -> None:
    found = complaints(page)
    wide = []
    await page.set_viewport_size(WINDOWS[window])
    with serving(site) as address:
        for source in TABS[tab]:
            await page.goto(address + place(source))
            if await page.evaluate(WIDER_THAN_THE_WINDOW):
                wide.append(source)
    assert (found.errors, found.elsewhere, wide) == ([], [], [])


@needs_chromium
@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("MAIE_GATEWAY_UNREAD_SECONDS", "docs/settings/#gateway"),
        ("ack_wait", "docs/settings/#every-part"),
        ("CreateKeyRequest", "docs/api/#maieaccessv1createkeyrequest"),
        ("who created a key", "docs/access/"),
    ],
)
async def test_the_search_finds(words: str, where: str, page: Page, site: Path) -> None:
    path, _, anchor = where.partition("#")
    with serving(site) as address:
        await page.goto(address)
        await page.get_by_role("textbox", name="Search").fill(words)
        ending = f"[href$='#{anchor}']" if anchor else ""
        await page.locator(f".md-search-result a[href*='{path}']{ending}").first.click()
        await expect(page.locator("article mark").first).to_be_attached()
        assert page.url.startswith(address + path)


@needs_chromium
async def test_the_search_says_that_it_found_nothing(page: Page, site: Path) -> None:
    with serving(site) as address:
        await page.goto(address)
        await page.get_by_role("textbox", name="Search").fill("xylophone")
        await expect(page.get_by_text("No matching documents")).to_be_visible()


@needs_chromium
@pytest.mark.parametrize(("system", "shown"), [("light", "default"), ("dark", "slate")])
async def test_the_theme_is_the_systems_until_one_is_chosen(
    system: Literal["light", "dark"], shown: str, page: Page, site: Path
) -> None:
    body = page.locator("body")
    with serving(site) as address:
        await page.emulate_media(color_scheme=system)
        await page.goto(address)
        await expect(body).to_have_attribute("data-md-color-scheme", shown)
        await page.get_by_title("Switch to the light theme").click()
        await expect(body).to_have_attribute("data-md-color-scheme", "default")
        await page.get_by_title("Switch to the dark theme").click()
        await page.goto(address + "docs/settings/")
        await expect(body).to_have_attribute("data-md-color-scheme", "slate")
        await page.get_by_title("Switch to the system's theme").click()
        await expect(body).to_have_attribute("data-md-color-scheme", shown)
