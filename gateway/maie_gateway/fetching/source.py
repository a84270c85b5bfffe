"""GET of a recording from a server that is not trusted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from typing import Self

from aiohttp import (
    ClientConnectorCertificateError,
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    hdrs,
)
from opentelemetry.trace import NoOpTracer, SpanKind, Tracer
from yarl import URL

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_core.spans import span
from maie_gateway.egress.connections import open_session, server_of
from maie_gateway.egress.guard import UrlGuard
from maie_gateway.fetching import refusals
from maie_gateway.fetching.naming import filename_of

USER_AGENT = f"maie-fetch/{version('maie-gateway')}"
MOST_REDIRECTS = 5
"""As the contract says."""
PIECE_BYTES = 256 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200
# A page to log in or to download from, or an error in place of a file.
_NO_RECORDINGS = frozenset(
    {"text/html", "application/xhtml+xml", "application/json", "application/xml", "text/xml"}
)


class Source:
    """An answer with a recording.

    Attributes:
        filename: What the file is called; may be empty.
        size_bytes: How many bytes the server says that it has; None where it does not say.
    """

    def __init__(self, url: URL, response: ClientResponse) -> None:
        self.filename = filename_of(url, response.headers)
        self.size_bytes = response.content_length
        self._response = response

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The recording.

        Raises:
            StageError: ABORTED with FETCH_INCOMPLETE.
        """
        with _errors():
            async for piece in self._response.content.iter_chunked(PIECE_BYTES):
                yield piece


class Sources:
    """Opens URLs. Each redirect is checked like the first URL.

    Args:
        session: Sends the requests, to checked addresses alone.
        guard: Checks URLs.
        tracer: Makes a span of each request.
    """

    def __init__(
        self, session: ClientSession, guard: UrlGuard, tracer: Tracer | None = None
    ) -> None:
        self._session = session
        self._guard = guard
        self._tracer = tracer or NoOpTracer()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, guard: UrlGuard, connect_seconds: float, tracer: Tracer | None = None
    ) -> AsyncIterator[Self]:
        """Opens URLs as long as the context lasts.

        Args:
            guard: Checks URLs, and the addresses that they lead to.
            connect_seconds: How long it may take to connect.
            tracer: Makes a span of each request.
        """
        # The pace of an upload ends what is slow afterwards.
        limits = ClientTimeout(total=None, connect=connect_seconds)
        async with open_session(guard, limits, USER_AGENT) as session:
            yield cls(session, guard, tracer)

    def check(self, url: str) -> URL:
        """Parses a URL, as it is to be requested.

        Raises:
            StageError: INVALID_ARGUMENT with URI_NOT_ALLOWED.
        """
        try:
            parsed = self._guard.parse(url)
        except StageError as error:
            raise invalid(error.reason, error.message, field=refusals.FIELD) from error
        # Some signatures are of the URL as it was written.
        exact = URL(url, encoded=True) if url.isascii() else parsed
        return exact if exact.host == parsed.host else parsed

    @asynccontextmanager
    async def open(self, url: str) -> AsyncIterator[Source]:
        """Requests a recording; gives it once its first bytes may come.

        Raises:
            StageError: INVALID_ARGUMENT with URI_NOT_ALLOWED or UNSUPPORTED_FORMAT, or as
                `refusals` has them.
        """
        first = at = self.check(url)
        for _ in range(MOST_REDIRECTS + 1):
            with _errors():
                response = await self._get(at)
            async with response:
                if response.status not in _REDIRECTS:
                    _check(response)
                    yield Source(first, response)
                    return
                at = self.check(following(at, response.headers.get(hdrs.LOCATION, "")))
        raise refusals.refused(f"redirects more than {MOST_REDIRECTS} times")

    async def _get(self, url: URL) -> ClientResponse:
        attributes = {"http.request.method": "GET", **server_of(str(url))}
        with span(self._tracer, "GET", attributes, kind=SpanKind.CLIENT) as made:
            headers = {hdrs.ACCEPT_ENCODING: "identity"}
            response = await self._session.get(url, headers=headers, allow_redirects=False)
            made.set_attribute("http.response.status_code", response.status)
        return response


def following(at: URL, location: str) -> str:
    """Where a redirect leads, unchecked.

    Raises:
        StageError: FAILED_PRECONDITION with FETCH_REFUSED, or INVALID_ARGUMENT with
            URI_NOT_ALLOWED where it leaves https, so that what a URL holds is not shown on the way.
    """
    try:
        target = at.join(URL(location, encoded=True))
    except ValueError as error:
        raise refusals.refused("redirects to nowhere") from error
    if not location:
        raise refusals.refused("redirects to nowhere")
    if at.scheme == "https" and target.scheme == "http":
        raise invalid(
            Reason.URI_NOT_ALLOWED,
            "The URL redirects from https to http; give one that stays with https.",
            field=refusals.FIELD,
        )
    return str(target)


def _check(response: ClientResponse) -> None:
    if response.status != _OK:
        raise refusals.of_status(response.status)
    if response.content_type in _NO_RECORDINGS:
        raise invalid(
            Reason.UNSUPPORTED_FORMAT,
            f"There is no recording at the URL, but {response.content_type}; give the URL of the "
            "file itself.",
            field=refusals.FIELD,
        )
    if response.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise refusals.refused("sends the file compressed")


@contextmanager
def _errors() -> Iterator[None]:
    """Errors of a connection as errors that the caller can act on; theirs may contain the URL."""
    try:
        yield
    except TimeoutError as error:
        raise refusals.too_slow() from error
    except ClientPayloadError as error:
        raise refusals.incomplete() from error
    except ClientResponseError as error:
        raise refusals.unavailable("gives an answer that is no HTTP") from error
    except ClientConnectorCertificateError as error:
        raise refusals.unavailable("has a certificate that is not trusted") from error
    except (ClientError, OSError, UnicodeError) as error:
        raise refusals.unavailable("cannot be reached") from error
