"""What is chosen for a file before it is uploaded."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.web.conftest import Web
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
