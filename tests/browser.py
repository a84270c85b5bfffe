"""Pages in Debian's Chromium, for tests of what people see in a browser.

A conftest.py that imports `browser` and `page` gives them to its tests; a module that uses them has
`needs_chromium` among its marks.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from tests.waiting import PATIENCE_SECONDS

CHROMIUM = Path("/usr/bin/chromium")
# Other hosts have no address, so that a page that asks for one fails instead of reaching it.
ONLY_THIS_MACHINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

# A test waits as long on a busy machine as it must.
PATIENCE_MILLISECONDS = PATIENCE_SECONDS * 1000
expect.set_options(timeout=PATIENCE_MILLISECONDS)

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="chromium is missing: make browser"
)


@asynccontextmanager
async def chromium(*switches: str) -> AsyncIterator[Browser]:
    """A headless Chromium with further switches, which ends with the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=PATIENCE_MILLISECONDS,
            args=[ONLY_THIS_MACHINE, *switches],
            # Chromium has no sandbox for root.
            chromium_sandbox=os.geteuid() != 0,
        )
        yield browser
        await browser.close()


def hearing(recording: Path) -> list[str]:
    """The switches of a Chromium whose microphone plays a WAV file once, and then is silent."""
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={recording}%noloop",
    ]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium that the tests of a file share: each opens pages in a new profile."""
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page of a new profile, without cookies, storage or cache."""
    async with await browser.new_context() as context:
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        yield await context.new_page()


@dataclass(frozen=True, slots=True)
class Complaints:
    """What went wrong in a page.

    Attributes:
        errors: Errors in the console, and exceptions that nothing caught.
        elsewhere: Addresses on other hosts that the page asked for.
    """

    errors: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def complaints(page: Page) -> Complaints:
    """Watches a page from now on."""
    found = Complaints()

    def printed(message: ConsoleMessage) -> None:
        if message.type == "error":
            found.errors.append(message.text)

    def requested(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and parts.hostname != "127.0.0.1":
            found.elsewhere.append(url)

    page.on("console", printed)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("request", lambda request: requested(request.url))
    page.on("websocket", lambda socket: requested(socket.url))
    return found


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serves a folder's files, and gives the address, which ends in a slash."""
    handler = partial(_Files, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Prints nothing for a request."""
