"""A request that is refused is read to its end, and not beyond it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from litestar import Request
from litestar.exceptions import HTTPException
from litestar.testing import RequestFactory
from litestar.types.asgi_types import ReceiveMessage

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason
from maie_web.problems import document_of
from maie_web.uploads import lingering

REFUSED = invalid(Reason.REQUEST_UNREADABLE, "No.")


def _sent(pieces: int) -> Iterator[ReceiveMessage]:
    for left in reversed(range(pieces)):
        yield {"type": "http.request", "body": b"audio", "more_body": left > 0}


@pytest.mark.parametrize("read", [0, 1, 2, 3])
async def test_what_a_refused_client_has_sent_is_dropped_and_no_more_is_waited_for(
    read: int,
) -> None:
    coming = _sent(3)

    async def receive() -> ReceiveMessage:
        return next(coming)  # after the last, this is an error; a server would wait

    request: Request = Request(RequestFactory().get("/").scope, receive)
    with pytest.raises(StageError):
        async with lingering(request):
            pieces = request.stream()
            for _ in range(read):
                await anext(pieces)
            raise REFUSED
    assert list(coming) == []


async def test_a_client_that_left_is_not_waited_for() -> None:
    async def receive() -> ReceiveMessage:
        return next(coming)

    coming: Iterator[ReceiveMessage] = iter([{"type": "http.disconnect"}])
    request: Request = Request(RequestFactory().get("/").scope, receive)
    with pytest.raises(StageError):
        async with lingering(request):
            raise REFUSED
    assert list(coming) == []


async def test_a_client_that_leaves_is_not_logged_as_a_fault() -> None:
    async def receive() -> ReceiveMessage:
        return {"type": "http.disconnect"}

    request: Request = Request(RequestFactory().get("/").scope, receive)
    with pytest.raises(HTTPException) as left:
        async for _ in request.stream():
            pass
    with structlog.testing.capture_logs() as logged:
        assert document_of(left.value).reason == Reason.UPLOAD_INCOMPLETE
    assert logged == []
