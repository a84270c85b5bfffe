"""The console: the pages that browsers get, built from services/web/console/ into static/."""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

STATIC = Path(__file__).with_name("static")
PAGE = "index.html"
ASSETS = "assets"
MISSING = (
    "The console is not built: run `make console` in the repository, where npm is installed, or "
    "install a wheel of maie-web, which has it.\n"
)
# Nothing comes from elsewhere, nothing is inline, and no page of another site shows the console.
# https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "vary": "accept-encoding",
}
# The names of assets have hashes of what is in them.
FOREVER = "public, max-age=31536000, immutable"
EACH_TIME = "no-cache"


class Console:
    """The files of the console, read once, so that a request waits for no file system.

    Args:
        folder: Where the build put them.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        page = folder / PAGE
        self._page = page.read_bytes() if page.is_file() else None
        files = (folder / ASSETS).iterdir() if self._page else ()
        self._assets = {file.name: file.read_bytes() for file in files}
        content = (*self._assets.values(), self._page or b"")
        self._compressed: Mapping[bytes, bytes] = {
            each: gzip.compress(each, mtime=0) for each in content
        }

    def page(self, request: Request) -> Response[bytes]:
        """The one page, which shows what its address names; 404 and a sentence if not built."""
        if self._page is None:
            status = HTTPStatus.NOT_FOUND
            return Response(MISSING.encode(), media_type="text/plain", status_code=status)
        return self._response(request, PAGE, self._page, EACH_TIME)

    def asset(self, request: Request, name: str) -> Response[bytes]:
        """A script, a style or a picture.

        Raises:
            NotFoundException: There is none of this name.
        """
        if name not in self._assets:
            raise NotFoundException
        return self._response(request, name, self._assets[name], FOREVER)

    def _response(
        self, request: Request, name: str, content: bytes, caching: str
    ) -> Response[bytes]:
        headers = HEADERS | {"cache-control": caching}
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = self._compressed[content]
            headers["content-encoding"] = "gzip"
        kind, _ = mimetypes.guess_type(name)
        return Response(content, media_type=kind or "application/octet-stream", headers=headers)


TheConsole = NamedDependency[Console]


@get(["/", "/upload", "/login"], include_in_schema=False)
async def page(request: Request, console: TheConsole) -> Response[bytes]:
    """The page of the console at addresses without an id."""
    return console.page(request)


@get("/recordings/{job_id:str}", include_in_schema=False)
async def recording_page(
    request: Request,
    console: TheConsole,
    job_id: FromPath[str],
) -> Response[bytes]:
    """The same page, at the address of a recording."""
    return console.page(request)


@get("/assets/{name:str}", include_in_schema=False)
async def asset(request: Request, console: TheConsole, name: FromPath[str]) -> Response[bytes]:
    """What the page loads."""
    return console.asset(request, name)


PAGES = (page, recording_page, asset)
"""What serves the console. Everybody may load it; what it shows needs the rights of who looks."""
