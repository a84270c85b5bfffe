"""The messages of a call that appends to an upload."""

from __future__ import annotations

from collections.abc import AsyncIterator

from maie.upload.v1 import upload_pb2 as upload
from maie_core.errors import StageError, invalid
from maie_core.limits import MAX_UPLOAD_PART_BYTES
from maie_core.reasons import Reason
from maie_gateway.intake.content import HEAD_BYTES, check_head
from maie_gateway.intake.pace import Pace

Messages = AsyncIterator[upload.AppendUploadRequest]


async def start_of(messages: Messages, pace: Pace) -> upload.AppendStart:
    """The first message, which says where to append.

    Raises:
        StageError: INVALID_ARGUMENT with UPLOAD_OUT_OF_ORDER, or as `Pace.next`.
    """
    first = await pace.next(messages)
    if first is None or not first.HasField("start"):
        raise _out_of_order()
    return first.start


class Pieces:
    """The bytes that a call appends.

    Args:
        messages: The call's messages after the first.
        pace: How slow they may come.
        checks_head: Whether they are the beginning of the recording.

    Attributes:
        end: The end message; None before it.
        size: How many bytes came.
    """

    def __init__(self, messages: Messages, pace: Pace, *, checks_head: bool) -> None:
        self._messages = messages
        self._pace = pace
        self._head: bytes | None = b"" if checks_head else None
        self.end: upload.AppendEnd | None = None
        self.size = 0

    async def next(self) -> bytes:
        """The next bytes; none at the end of the call.

        Raises:
            StageError: INVALID_ARGUMENT with UPLOAD_OUT_OF_ORDER, UPLOAD_PART_TOO_LARGE,
                UPLOAD_INCOMPLETE or UNSUPPORTED_FORMAT; as `Pace.next`.
        """
        while (message := await self._pace.next(self._messages)) is not None:
            if self.end is not None or message.HasField("start"):
                raise _out_of_order()
            if message.HasField("end"):
                self.end = message.end
                self._check_end(self.end)
            elif message.audio:
                self._check(message.audio)
                self.size += len(message.audio)
                return message.audio
        return b""

    def _check(self, audio: bytes) -> None:
        if len(audio) > MAX_UPLOAD_PART_BYTES:
            raise invalid(
                Reason.UPLOAD_PART_TOO_LARGE,
                f"A message of {len(audio)} bytes is more than {MAX_UPLOAD_PART_BYTES}; cut the "
                "recording into smaller ones, such as of 256 KiB.",
            )
        if self._head is not None:
            self._head = (self._head + audio)[:HEAD_BYTES]
            check_head(self._head)

    def _check_end(self, end: upload.AppendEnd) -> None:
        if end.size_bytes != self.size:
            raise invalid(
                Reason.UPLOAD_INCOMPLETE,
                f"{self.size} bytes came, and the end message says {end.size_bytes}; get the "
                "upload and go on from its offset.",
            )


def _out_of_order() -> StageError:
    return invalid(
        Reason.UPLOAD_OUT_OF_ORDER,
        "Send `start`, then audio, and `end` as the last message; get the upload and go on from "
        "its offset.",
    )
