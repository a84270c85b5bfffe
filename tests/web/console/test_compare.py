"""Two runs of a recording beside each other: where they differ, and how to get there."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web
from tests.web.console.barriers import PHONE, fits
from tests.web.console.recordings import add, needs_console, spoken

pytestmark = [*needs_console]

SAID = ["we ship on friday", "nobody said no", "then we go home"]


async def test_two_runs_are_compared_and_keys_lead_to_what_differs(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    empty_mesh.stages["asr"].answer = spoken(*SAID)
    first = await add(web.grpc, "First run")
    changed = [SAID[0].replace("friday", "monday"), *SAID[1:], "bye"]
    empty_mesh.stages["asr"].answer = spoken(*changed, speakers=("S1", "S2", "S2", "S1"))
    second = await add(web.grpc, "Second run")
    await library.goto(f"{web.url}/recordings/{first.job_id}")
    runs = library.get_by_role("region", name="Other runs of this recording")
    await expect(runs.get_by_role("link", name="Second run", exact=True)).to_be_visible()
    await runs.get_by_role("link", name="Compare").click()
    await expect(library.get_by_role("heading", name="Compare two runs")).to_be_visible()
    await expect(library.get_by_text("2 places differ")).to_be_visible()
    await expect(library.locator(".line del")).to_have_text("friday")
    await expect(library.locator(".line ins")).to_have_text(["monday", "Speaker 1 bye"])
    labels = library.locator(".said.right .voice")
    await expect(labels).to_have_text(["Speaker 1", "Speaker 2", "Speaker 1"])
    await expect(library.locator(".said.left .voice")).to_have_count(0)
    await library.keyboard.press("n")
    await library.keyboard.press("n")
    await expect(library.get_by_role("status")).to_have_text("Place 2 of 2 that differ")
    await expect(library.locator(".line.chosen ins")).to_contain_text("bye")
    await expect(library.get_by_role("slider", name="Position")).to_have_js_property("value", "12")
    await library.keyboard.press("p")
    await expect(library.locator(".line.chosen del")).to_have_text("friday")
    await expect(library.get_by_text("All versions and options are the same.")).to_be_visible()
    await library.emulate_media(color_scheme="dark")
    await library.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await fits(library, PHONE["width"])
    await library.goto(web.url)
    for name in ("First run", "Second run"):
        await library.get_by_role("checkbox", name=f"Select {name}").check()
    await library.get_by_role("link", name="Compare").click()
    await expect(library.get_by_text("2 places differ")).to_be_visible()
    assert second.job_id in library.url
