"""The pages that browsers get: console and documentation, built from services/web/console/."""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from litestar import HttpMethod, Request, Response, route
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

STATIC = Path(__file__).with_name("static")
PAGE = "index.html"
DOCUMENTATION = "documentation.html"
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
        # What was recorded in the page is played from its memory.
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
# Swagger UI has pictures in its styles, and writes what it has cleaned as HTML.
DOCUMENTATION_POLICY = "; ".join(
    each.replace("img-src 'self'", "img-src 'self' data:")
    for each in POLICY.split("; ")
    if "trusted-types" not in each
)
POLICIES = {PAGE: POLICY, DOCUMENTATION: DOCUMENTATION_POLICY}
HEADERS = {
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
        self._pages = {page.name: page.read_bytes() for page in folder.glob("*.html")}
        files = (folder / ASSETS).iterdir() if self._pages else ()
        self._assets = {file.name: file.read_bytes() for file in files}
        content = (*self._assets.values(), *self._pages.values())
        self._compressed: Mapping[bytes, bytes] = {
            each: gzip.compress(each, mtime=0) for each in content
        }

    def page(self, request: Request, name: str = PAGE) -> Response[bytes]:
        """A page, which shows what its address names; 404 and a sentence if it is not built."""
        if name not in self._pages:
            status = HTTPStatus.NOT_FOUND
            return Response(MISSING.encode(), media_type="text/plain", status_code=status)
        headers = {"content-security-policy": POLICIES[name], "cache-control": EACH_TIME}
        return self._response(request, name, self._pages[name], headers)

    def asset(self, request: Request, name: str) -> Response[bytes]:
        """A script, a style or a picture of a page.

        Raises:
            NotFoundException: There is none of this name.
        """
        if name not in self._assets:
            raise NotFoundException
        headers = {"content-security-policy": POLICY, "cache-control": FOREVER}
        return self._response(request, name, self._assets[name], headers)

    def _response(
        self, request: Request, name: str, content: bytes, own: Mapping[str, str]
    ) -> Response[bytes]:
        headers = {**HEADERS, **own}
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = self._compressed[content]
            headers["content-encoding"] = "gzip"
        kind, _ = mimetypes.guess_type(name)
        return Response(content, media_type=kind or "application/octet-stream", headers=headers)


# Those who find a link read what it shows: no search engine is to keep the page or follow it.
NOT_INDEXED = {"x-robots-tag": "noindex, nofollow, noarchive"}
TheConsole = NamedDependency[Console]
# Proxies and monitors ask with HEAD whether there is something.
METHODS = (HttpMethod.GET, HttpMethod.HEAD)


@route(
    [
        "/",
        "/upload",
        "/templates",
        "/voices",
        "/live",
        "/live/captions",
        "/compare",
        "/admin",
        "/login",
    ],
    http_method=METHODS,
    include_in_schema=False,
)
async def page(request: Request, console: TheConsole) -> Response[bytes]:
    """The page of the console at addresses without an id."""
    return console.page(request)


@route("/recordings/{job_id:str}", http_method=METHODS, include_in_schema=False)
async def recording_page(
    request: Request,
    console: TheConsole,
    job_id: FromPath[str],
) -> Response[bytes]:
    """The same page, at the address of a recording."""
    return console.page(request)


@route("/s", http_method=METHODS, include_in_schema=False)
async def shared_page(request: Request, console: TheConsole) -> Response[bytes]:
    """The same page, for readers of a share, whose token is in the fragment of the address."""
    shown = console.page(request)
    shown.headers.update(NOT_INDEXED)
    return shown


@route("/templates/{template_id:str}", http_method=METHODS, include_in_schema=False)
async def template_page(
    request: Request,
    console: TheConsole,
    template_id: FromPath[str],
) -> Response[bytes]:
    """The same page, at the address of a template."""
    return console.page(request)


@route("/docs", http_method=METHODS, include_in_schema=False)
async def documentation_page(request: Request, console: TheConsole) -> Response[bytes]:
    """The page that shows the OpenAPI document."""
    return console.page(request, DOCUMENTATION)


@route("/assets/{name:str}", http_method=METHODS, include_in_schema=False)
async def asset(request: Request, console: TheConsole, name: FromPath[str]) -> Response[bytes]:
    """What a page loads."""
    return console.asset(request, name)


PAGES = (page, recording_page, shared_page, template_page, documentation_page, asset)
"""What serves the console. Everybody may load it; what it shows needs the rights of who looks."""
