"""Who speaks, on a recording's page: named, told apart and corrected by keys."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web
from tests.web.console.barriers import no_barriers
from tests.web.console.recordings import add, needs_console, spoken

pytestmark = [*needs_console]

LINES = ("we ship on Friday", "all agree on that", "who tests it", "I will test it")
NAME = "<b>Anna & co</b>"


async def test_speakers_are_named_and_corrected_by_keys(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    empty_mesh.stages["asr"].answer = spoken(
        *LINES, punctuated=True, speakers=("S1", "S2", "S2", "S1")
    )
    made = await add(web.grpc)
    await library.goto(f"{web.url}/recordings/{made.job_id}")
    labels = library.locator(".line .voice")
    await expect(labels).to_have_text(["Speaker 1", "Speaker 2", "Speaker 1"])
    speakers = library.get_by_role("list", name="Speakers")
    await expect(speakers.get_by_role("listitem")).to_have_count(2)
    await expect(speakers).to_contain_text("50%")

    first = speakers.get_by_role("button", name="Speaker 1")
    await first.press("Enter")
    await library.keyboard.type("nobody")
    await library.keyboard.press("Escape")
    await expect(first).to_be_focused()
    await first.press("Enter")
    await library.keyboard.type(NAME)
    await library.keyboard.press("Enter")
    await expect(labels).to_have_text([NAME, "Speaker 2", NAME])
    named = await web.grpc.get_job(made.job_id)
    assert [each.name for each in named.results.speakers] == [NAME, ""]

    await library.get_by_role("button", name="Edit", exact=True).click()
    chooser = library.get_by_role("combobox", name="Speaker of the line at 0:08")
    await expect(chooser).to_have_value("S2")
    await chooser.select_option(label="New speaker")
    await no_barriers(library)
    await library.keyboard.press("Control+s")
    await expect(library.locator(".edit-state")).to_have_text("Saved.")
    corrected = await web.grpc.revisions.get(made.job_id)
    assert [each.speaker for each in corrected.segments] == ["S1", "S2", "S3", "S1"]
    await expect(speakers.get_by_role("listitem")).to_have_count(3)
