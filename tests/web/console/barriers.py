"""What keeps people from using a page, and the screens that pages are looked at on."""

from __future__ import annotations

import json

from playwright.async_api import Page

from tests.web.console.recordings import ROOT

AXE = ROOT / "node_modules/axe-core/axe.min.js"
SERIOUS = ("serious", "critical")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


async def no_barriers(page: Page) -> None:
    """Fails where axe finds a serious barrier in a page."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = (await page.evaluate("axe.run()"))["violations"]
    serious = [each for each in found if each["impact"] in SERIOUS]
    assert not serious, f"{page.url}: {json.dumps(serious, indent=1)[:3000]}"


async def fits(page: Page, width: int) -> None:
    """Fails where a page is wider than the screen, or has a serious barrier."""
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    await no_barriers(page)
