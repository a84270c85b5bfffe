"""Voices on the console's pages: kept with consent, suggested again, and deleted."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.gateway.conftest import EmptyMesh
from tests.people import allow_voices, job_of, person, speaking
from tests.web.conftest import Web
from tests.web.console.barriers import no_barriers
from tests.web.console.recordings import needs_console

pytestmark = [*needs_console]

NAME = "<b>Anna & co</b>"
STATEMENT = "Anna agreed by <i>e-mail</i>"


async def test_a_voice_is_kept_suggested_and_deleted(
    library: Page, web: Web, empty_mesh: EmptyMesh
) -> None:
    empty_mesh.stages["diarization"].answer = speaking(person("anna"), person("ben"))
    first = await job_of(web.grpc)
    await library.goto(f"{web.url}/voices")
    await expect(library.get_by_role("note")).to_contain_text("Voices are off")
    await library.goto(f"{web.url}/recordings/{first}")
    await expect(library.get_by_role("list", name="Speakers")).to_be_visible()
    keep = library.get_by_role("button", name="Keep a voice")
    await expect(keep).to_have_count(0)

    await allow_voices(web.grpc, "default", 5)
    await library.reload()
    await keep.click()
    dialog = library.get_by_role("dialog", name="Keep a voice")
    await dialog.get_by_label("Name").fill(NAME)
    await dialog.get_by_label("What the person agreed to").fill(STATEMENT)
    await no_barriers(library)
    await dialog.get_by_role("button", name="Keep the voice").click()
    await expect(dialog).to_have_count(0)
    await expect(library.locator(".speakers .voice").first).to_contain_text(NAME)
    (kept,) = (await web.grpc.voices.list()).voices
    assert kept.display_name == NAME

    empty_mesh.stages["diarization"].answer = speaking(person("ben"), person("anna", day=1))
    second = await job_of(web.grpc)
    await library.goto(f"{web.url}/recordings/{second}")
    suggestions = library.get_by_role("list", name="Who speakers sound like")
    await expect(suggestions.get_by_role("listitem")).to_have_count(1)
    await expect(suggestions).to_contain_text(f"Speaker 2sounds like {NAME}")
    assert [each.name for each in (await web.grpc.get_job(second)).results.speakers] == ["", ""]
    await suggestions.get_by_role("button", name="Use this name").click()
    await expect(suggestions.get_by_role("listitem")).to_have_count(0)
    assert [each.name for each in (await web.grpc.get_job(second)).results.speakers] == ["", NAME]

    await library.get_by_role("link", name="Voices").click()
    card = library.get_by_role("listitem").filter(has_text=NAME)
    await card.get_by_text("Recordings and consent").click()
    await expect(card.locator("blockquote")).to_contain_text(STATEMENT)
    await card.get_by_role("button", name="Rename").click()
    await library.keyboard.type("Anna")
    await library.keyboard.press("Enter")
    await expect(library.get_by_role("heading", name="Anna")).to_be_visible()
    await no_barriers(library)
    await library.get_by_role("button", name="Delete").click()
    await library.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(library.get_by_role("heading", name="No voices yet")).to_be_visible()
    assert not (await web.grpc.voices.list()).voices
