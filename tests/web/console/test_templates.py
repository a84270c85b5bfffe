"""People make a template of their own in the browser, and use it."""

from __future__ import annotations

import json

from playwright.async_api import Page, expect

from tests.gateway.templates.contents import PROMPT, SCHEMA, schema
from tests.web.conftest import Web
from tests.web.console.barriers import no_barriers
from tests.web.console.recordings import add, needs_console

pytestmark = [*needs_console]


async def test_a_template_is_made_by_keys_and_fills_a_summary(library: Page, web: Web) -> None:
    await add(web.grpc)
    await library.get_by_role("link", name="Templates").click()
    await library.get_by_role("link", name="New template").click()
    await library.get_by_label("Title", exact=True).fill("Stand-up")
    await library.get_by_label("What it is for").fill("What holds us up.")
    await expect(library.get_by_label("Id")).to_have_value("stand_up")
    saving = library.get_by_role("button", name="Save", exact=True)
    await expect(saving).to_be_disabled()
    await expect(library.get_by_text("A field needs a name")).to_be_visible()
    await library.get_by_label("Name", exact=True).fill("blockers")
    await library.get_by_label("Kind").select_option("list")
    # What the mesh says of a field stands at the field.
    await library.get_by_label("Most entries").fill("5000")
    field = library.get_by_role("group", name="blockers")
    await expect(field).to_contain_text("maxItems is missing or over 1000")
    await no_barriers(library)
    await expect(saving).to_be_disabled()
    await library.get_by_label("Most entries").fill("5")
    await expect(library.get_by_role("region", name="JSON Schema")).to_contain_text('"maxItems": 5')
    # Enter saves at once, before the mesh has said that nothing is wrong any more.
    await library.get_by_label("Most entries").press("Enter")
    await expect(library.get_by_role("heading", name="Stand-up")).to_be_visible()
    saved = await web.grpc.get_template("stand_up")
    assert json.loads(saved.schema_json)["properties"]["blockers"]["maxItems"] == 5
    await library.get_by_role("button", name="Try it").click()
    await expect(library.get_by_text("A summary of a transcript as it was made.")).to_be_visible()
    own = library.locator(".again optgroup[label='Yours'] option")
    await expect(own).to_have_text("Stand-up")
    await library.goto(f"{web.url}/templates/stand_up")
    await library.get_by_role("button", name="Delete the template").click()
    await library.get_by_role("dialog").get_by_role("button", name="Delete the template").click()
    await expect(library.get_by_text("No templates of your own yet")).to_be_visible()


async def test_two_people_at_once_notice_each_other(library: Page, web: Web) -> None:
    await web.grpc.templates.save("standup", 0, SCHEMA, PROMPT)
    await library.goto(f"{web.url}/templates/standup")
    title = library.get_by_label("Title", exact=True)
    await title.fill("Mine")
    # What is not saved is there again after a look at another page.
    await library.get_by_role("link", name="Library").click()
    await library.go_back()
    await expect(title).to_have_value("Mine")
    await web.grpc.templates.save("standup", 1, schema("Theirs"), PROMPT)
    await library.get_by_role("button", name="Save as version 2").click()
    await expect(library.get_by_role("alert")).to_contain_text("Somebody else saved")
    await library.get_by_role("button", name="Save mine").click()
    await expect(library.get_by_text("Version 3 is saved.")).to_be_visible()
    await library.get_by_role("link", name="View version 2").click()
    await expect(library.get_by_role("heading", name="Theirs")).to_be_visible()
    await no_barriers(library)
    assert (await web.grpc.get_template("standup")).title == "Mine"
