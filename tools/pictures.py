"""Pictures of the console for the documentation, in both themes: `make pictures`.

A mesh runs with recordings that its engines read, and Chromium opens each page in a state that
shows what it is for. Look at each picture before it is kept. Names of pages take these alone.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from playwright.async_api import Page, ViewportSize, expect

from maie.asr.v1 import asr_pb2 as asr
from maie_cli.mesh.local import LocalMesh
from maie_client import FEATURES, Client
from maie_client.voices import consent
from tests.browser import PATIENCE_MILLISECONDS, chromium, hearing
from tests.people import allow_voices
from tests.web.console.listening import address_of, listening_mesh, said, write_wav

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "console"
MEETING = ROOT / "samples" / "standup.flac"
READING = ROOT / "samples" / "reading.flac"
TEMPLATE = "meeting_notes_v1"
OWN_TEMPLATE = "retrospective"
# An item of the summary, and a line of the transcript, that the window shows without a scroll.
ITEM = "/topics/3"
LINE = 3
# What the sample says, and what the text that it is compared with has in its place.
MISPRINTS = (
    ("leisure", "treasure"),
    ("ill-disposed young", "ill-disposed old young"),
    ("rather cold-hearted", "cold-hearted"),
)
NAMES = {"S1": "Anna", "S2": "Ben"}
SIZE: ViewportSize = {"width": 1280, "height": 800}
# Brings a part of a page beneath the player, which stays where it is.
UNDER_PLAYER = "part => scrollBy(0, part.getBoundingClientRect().top - 160)"
# Of a WebP file: text stays sharp at a third of what a PNG takes.
QUALITY = 90
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


@dataclass(kw_only=True, frozen=True, slots=True)
class Shown:
    """What the pictures are of.

    Attributes:
        url: The address of the console.
        meeting: The id of a recording with a summary.
        again: The id of another run of it.
        reading: The id of a recording with a text.
        share: The token of a share of it.
    """

    url: str
    meeting: str
    again: str
    reading: str
    share: str


# What is guessed at random differs in some words.
GUESSED = asr.TranscribeOptions(
    decoding=asr.DecodingOptions(beam_size=1, temperatures=[1.0]),
)
# Brings a page into the state to be shown, and gives the page that is to be taken.
Open = Callable[[Page, Shown], Awaitable[Page]]


async def _library(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/?q=customers")
    await expect(page.locator(".moments").first).to_be_visible()
    return page


async def _recording(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/recordings/{shown.meeting}")
    await page.locator(f'[data-pointer="{ITEM}"]').get_by_role("button").click()
    await expect(page.locator(".line.lit").first).to_be_visible()
    return page


async def _reading(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/recordings/{shown.reading}")
    panel = page.get_by_role("region", name="Reading")
    await panel.locator(".read-text .wrong").first.click()
    await expect(panel.get_by_role("list", name="Sounds of the word")).to_be_visible()
    # The word was heard to its end.
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    await panel.evaluate(UNDER_PLAYER)
    return page


async def _sound(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/recordings/{shown.reading}")
    panel = page.get_by_role("region", name="Sound")
    plot = panel.get_by_role("slider", name="Scores over time")
    await plot.focus()
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await panel.evaluate(UNDER_PLAYER)
    return page


async def _editing(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/recordings/{shown.meeting}")
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_role("button", name="Edit the line").nth(LINE).focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Home")
    await page.keyboard.type("Well, ")
    return page


async def _sharing(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/recordings/{shown.meeting}")
    await page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share this recording")
    await expect(dialog.get_by_role("button", name="Make a link")).to_be_visible()
    return page


async def _shared(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/s/#{shown.share}")
    await expect(page.locator(".spoken").first).to_be_visible()
    await expect(page.get_by_role("button", name="Play")).to_be_enabled()
    return page


async def _upload(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/upload")
    await page.locator("input[type=file]").first.set_input_files([MEETING, READING])
    await expect(page.get_by_role("link", name=READING.name)).to_be_visible()
    return page


async def _voices(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/voices")
    await page.get_by_text("Recordings and consent").first.click()
    await expect(page.locator("blockquote").first).to_be_visible()
    return page


async def _compare(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/compare?left={shown.meeting}&right={shown.again}")
    await expect(page.get_by_role("heading", name="Compare two runs")).to_be_visible()
    return page


async def _live(page: Page, shown: Shown) -> Page:
    await page.goto(f"{shown.url}/live")
    await page.get_by_label("Summary", exact=True).uncheck()
    await page.get_by_role("button", name="Start").click()
    await said(page, "great news")
    return page


async def _captions(page: Page, shown: Shown) -> Page:
    await _live(page, shown)
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="Captions in a window").click()
    captions = await opened.value
    await captions.set_viewport_size(SIZE)
    await expect(captions.locator(".said")).to_contain_text("great news")
    return captions


def _at(path: str) -> Open:
    async def opened(page: Page, shown: Shown) -> Page:
        await page.goto(shown.url + path)
        return page

    return opened


PAGES: Mapping[str, Open] = {
    "library": _library,
    "recording": _recording,
    "reading": _reading,
    "sound": _sound,
    "editing": _editing,
    "compare": _compare,
    "sharing": _sharing,
    "shared": _shared,
    "upload": _upload,
    "templates": _at("/templates"),
    "template": _at(f"/templates/{OWN_TEMPLATE}"),
    "voices": _voices,
    "admin": _at("/admin"),
    "login": _at("/login"),
    "live": _live,
    "captions": _captions,
}


async def _main(names: list[str]) -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "microphone.wav"
        write_wav(MEETING, sound)
        async with listening_mesh(Path(folder)) as mesh:
            shown = await _prepared(mesh)
            async with chromium(*hearing(sound)) as browser:
                for theme in THEMES:
                    for name in names or PAGES:
                        async with await browser.new_context(
                            color_scheme=theme, viewport=SIZE, locale="en-GB"
                        ) as context:
                            context.set_default_timeout(PATIENCE_MILLISECONDS)
                            page = await PAGES[name](await context.new_page(), shown)
                            await _take(page, PICTURES / f"{name}-{theme}.webp")


async def _prepared(mesh: LocalMesh) -> Shown:
    """Adds recordings to a mesh, and waits until they are read."""
    async with Client(mesh.gateway) as client:
        meeting = await _read(client, MEETING, "Stand-up on Monday", {"team": "product"})
        await client.update_job(meeting, speaker_names=NAMES)
        await _keep_voices(client, meeting)
        text = _misprinted(READING.with_suffix(".txt").read_text("utf-8"))
        reading = await _read(client, READING, "Reading", {"kind": "sample"}, text=text)
        again = await _read(client, MEETING, "Stand-up, hot", {"team": "product"}, GUESSED)
        await _save_template(client)
        share = await client.shares.create(meeting, lifetime=timedelta(days=7), audio=True)
    return Shown(
        url=address_of(mesh), meeting=meeting, again=again, reading=reading, share=share.token
    )


def _misprinted(text: str) -> str:
    """A text with mistakes, so that the reading of the right one differs from it."""
    for right, wrong in MISPRINTS:
        if right not in text:
            raise ValueError(f"The sample does not say {right!r}; choose other words.")
        text = text.replace(right, wrong, 1)
    return text


async def _keep_voices(client: Client, meeting: str) -> None:
    """Makes profiles of the voices of those who speak in the meeting."""
    await allow_voices(client)
    for speaker, name in NAMES.items():
        agreed = consent(f"{name} agreed by e-mail to be recognised.", datetime.now(UTC))
        await client.voices.enroll(meeting, speaker, name, agreed)


async def _save_template(client: Client) -> None:
    shipped = await client.get_template(TEMPLATE)
    schema = json.dumps({**json.loads(shipped.schema_json), "title": "Retrospective"})
    await client.templates.save(OWN_TEMPLATE, 0, schema, shipped.prompt)


async def _read(
    client: Client,
    recording: Path,
    name: str,
    labels: Mapping[str, str],
    options: asr.TranscribeOptions | None = None,
    text: str = "",
) -> str:
    made = await client.create_job(
        recording,
        display_name=name,
        labels=labels,
        features=tuple(each for each in FEATURES if text or each != "reading"),
        template_id=TEMPLATE,
        asr_options=options or asr.TranscribeOptions(),
        reading_text=text,
    )
    async for _ in client.watch_job(made.job_id):
        pass
    return made.job_id


async def _take(page: Page, into: Path) -> None:
    await expect(page.get_by_text("Loading …")).to_have_count(0)
    await page.wait_for_load_state("networkidle")
    session = await page.context.new_cdp_session(page)
    taken = await session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    await asyncio.to_thread(into.write_bytes, base64.b64decode(taken["data"]))
    print(f"· {into.relative_to(ROOT)}")


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
