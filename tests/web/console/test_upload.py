"""What is chosen for a file before it is uploaded."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, Request, Route, expect

from tests.web.conftest import Web
from tests.web.console.barriers import no_barriers
from tests.web.console.recordings import needs_console

pytestmark = [*needs_console]

# Chooses a template in the moment in which it can be chosen, as nobody's hand can.
CHOOSE_AT_ONCE = """
addEventListener("DOMContentLoaded", () => {
  const observer = new MutationObserver(() => {
    const option = document.querySelector("option[value=meeting_notes_v1]");
    if (!option) return;
    observer.disconnect();
    setTimeout(() => {
      option.selected = true;
      option.closest("select").dispatchEvent(new Event("change", { bubbles: true }));
      document.body.dataset.chosen = "yes";
    });
  });
  observer.observe(document.body, { subtree: true, childList: true });
});
"""


async def test_a_template_that_is_chosen_at_once_stays_chosen(library: Page, web: Web) -> None:
    await library.add_init_script(CHOOSE_AT_ONCE)
    for _ in range(5):
        await library.goto(f"{web.url}/upload")
        await expect(library.locator("body[data-chosen=yes]")).to_be_attached()
        # What else is to be done at the beginning is done by the next frame.
        await library.evaluate(
            "new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))"
        )
        await expect(library.get_by_label("Template of the summary")).to_have_value(
            "meeting_notes_v1"
        )


async def test_a_text_that_was_read_goes_with_its_recording(
    library: Page, web: Web, tmp_path: Path
) -> None:
    recording, book = tmp_path / "tale.wav", tmp_path / "tale.txt"
    recording.write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(1000))
    # More than any header carries.
    text = "Once upon a time. " * 5000
    book.write_text(text)
    asked: list[Request] = []
    library.on("request", lambda request: asked.append(request))
    await library.goto(f"{web.url}/upload")
    await library.get_by_label("Clean transcript").uncheck()
    await library.get_by_label("Summary", exact=True).uncheck()
    await library.get_by_label("Quality of the sound").check()
    await library.get_by_label("Comparison with a text").check()
    await expect(library.get_by_role("alert")).to_contain_text("Give the text that should have")
    await expect(library.get_by_label("Files")).to_be_disabled()
    await library.get_by_label("Compare with a text file").set_input_files(book)
    await expect(library.get_by_label("The text that should have been read")).to_have_value(text)
    await no_barriers(library)
    await library.get_by_label("Files").set_input_files(recording)
    row = library.locator(".rows .row", has_text="tale.wav")
    await expect(row.get_by_text("Complete")).to_be_visible()
    (made,) = [each async for each in web.grpc.list_jobs()]
    done = await web.grpc.get_job(made.job_id)
    assert done.results.HasField("reading")
    assert done.results.HasField("quality_report")
    begun = [each for each in asked if each.method == "POST"]
    assert len(begun) == 1
    assert "upload-metadata" not in begun[0].headers
    assert await library.evaluate("localStorage.getItem('maie.unfinished')") is None


async def test_an_upload_with_a_text_begins_anew_where_the_server_has_removed_it(
    page: Page, web: Web, tmp_path: Path
) -> None:
    recording = tmp_path / "tale.wav"
    recording.write_bytes(b"RIFF\0\0\0\0WAVE" + bytes(1000))
    asked: list[str] = []

    async def lose(route: Route) -> None:
        asked.append(route.request.method)
        match route.request.method:
            case "PATCH" if asked.count("PATCH") == 1:
                await route.abort()
            case "HEAD" if "PATCH" in asked and asked.count("POST") == 1:
                await route.fulfill(status=404)
            case _:
                await route.continue_()

    await page.route("**/v1/uploads**", lose)
    await page.goto(f"{web.url}/upload")
    await page.get_by_label("Clean transcript").uncheck()
    await page.get_by_label("Summary", exact=True).uncheck()
    await page.get_by_label("Comparison with a text").check()
    await page.get_by_label("The text that should have been read").fill("Once upon a time.")
    await page.get_by_label("Files").set_input_files(recording)
    row = page.locator(".rows .row", has_text="tale.wav")
    await expect(row.get_by_text("Complete")).to_be_visible()
    assert asked.count("POST") == 2
    (made,) = [each async for each in web.grpc.list_jobs()]
    assert (await web.grpc.get_job(made.job_id)).results.HasField("reading")
