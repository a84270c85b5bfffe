"""The page of those who look after the mesh."""

from __future__ import annotations

import re

from playwright.async_api import Browser, Page, expect

from maie.access.v1 import access_pb2 as access
from maie_core.codes import Code
from maie_core.errors import StageError
from maie_core.reasons import Reason
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import Web
from tests.web.console.barriers import PHONE, fits
from tests.web.console.recordings import add, needs_console

pytestmark = [*needs_console]


async def test_keys_dead_letters_and_the_audit_log_are_looked_after(
    library: Page, web: Web, empty_mesh: EmptyMesh, browser: Browser
) -> None:
    async def damaged(_: object) -> None:
        raise StageError(Code.INVALID_ARGUMENT, Reason.AUDIO_CORRUPT, "It is damaged.")

    async def mended(_: object) -> None: ...

    empty_mesh.stages["preprocess"].hook = damaged
    await add(web.grpc)
    await library.reload()
    await library.get_by_role("link", name="Admin").click()
    keys = library.get_by_role("region", name="API keys").first
    await keys.get_by_label("Tenant").fill("acme")
    await keys.get_by_label("read", exact=True).check()
    await keys.get_by_role("button", name="Make a key").press("Enter")
    made = keys.get_by_label("The new key")
    await expect(made).to_have_value(re.compile(r"maie_[0-9a-f]{12}_.{43}"))
    first = await made.input_value()
    await keys.get_by_role("button", name="Rotate the key").press("Enter")
    rotation = library.get_by_role("dialog")
    await rotation.get_by_label("Hours that the secret before works on").fill("2.5")
    await library.keyboard.press("Enter")
    await expect(made).not_to_have_value(first)
    await expect(keys.get_by_text("secret before: until")).to_be_visible()
    revoke = keys.get_by_role("button", name="Revoke the key")
    await expect(revoke).to_be_visible()
    await fits(library, await library.evaluate("innerWidth"))
    await revoke.press("Enter")
    await expect(keys.get_by_text("revoked", exact=True)).to_be_visible()

    letters = library.get_by_role("region", name="Given up").first
    await expect(letters.get_by_text("It is damaged.")).to_be_visible()
    empty_mesh.stages["preprocess"].hook = mended
    await letters.get_by_role("button", name="Try again").click()
    await expect(letters.get_by_text("Nothing was given up.")).to_be_visible()

    await library.get_by_role("button", name="Limits of default").press("Enter")
    limits = library.get_by_role("dialog", name="Limits of default")
    unfinished = limits.get_by_label("Unfinished recordings")
    await expect(unfinished).to_have_attribute("placeholder", "40")
    await unfinished.fill("12")
    await fits(library, await library.evaluate("innerWidth"))
    await library.keyboard.press("Enter")
    await expect(library.get_by_role("row", name=re.compile(r"^default \d+ . 12"))).to_be_visible()

    audit = library.get_by_role("region", name="Who did what").first
    await audit.get_by_label("Call", exact=True).fill("RevokeKey")
    await library.keyboard.press("Enter")
    await expect(audit.locator("tbody tr")).to_have_count(1)

    async with await browser.new_context(color_scheme="dark", viewport=PHONE) as context:  # type: ignore[arg-type]
        phone = await context.new_page()
        await phone.goto(f"{web.url}/admin")
        await expect(phone.get_by_role("cell", name="RevokeKey")).to_be_attached()
        await fits(phone, PHONE["width"])
        reader = await web.grpc.keys.create(scopes=[access.SCOPE_READ])
        await phone.goto(web.url)
        assert (
            await phone.evaluate(
                "key => fetch('/v1/session', {method: 'POST', body: JSON.stringify({key}), "
                "headers: {'content-type': 'application/json'}}).then(answer => answer.status)",
                reader.api_key,
            )
            == 200
        )
        await phone.reload()
        await expect(phone.get_by_role("button", name="Log out")).to_be_visible()
        await expect(phone.get_by_role("link", name="Admin")).to_have_count(0)
