"""Forms with a file (multipart/form-data) as they come in, without holding the file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from multipart import MultipartError, PushMultipartParser, parse_options_header

from maie_core.errors import StageError, invalid
from maie_core.reasons import Reason

# Of all fields but the file, together.
MOST_FIELD_BYTES = 1024 * 1024
MOST_FIELDS = 100


class Form:
    """A form, read in the order in which it comes.

    Args:
        content_type: The request's header.
        body: The request's bytes, in pieces.
        file_field: The name of the field with the file.

    Attributes:
        fields: The values of each other field, as far as they have come.
        filename: The file's name as the client gives it; empty before the file.

    Raises:
        StageError: INVALID_ARGUMENT with REQUEST_UNREADABLE: it is no form.
    """

    def __init__(
        self, content_type: str, body: AsyncIterator[bytes], file_field: str = "file"
    ) -> None:
        kind, options = parse_options_header(content_type)
        if kind != "multipart/form-data" or not options.get("boundary"):
            raise _unreadable("The request is no form with a file")
        self.fields: dict[str, list[str]] = {}
        self.filename = ""
        self._file_field = file_field
        self._size = 0
        self._parser = PushMultipartParser(options["boundary"], max_segment_count=MOST_FIELDS)
        self._events = self._parsed(body)

    async def until_file(self) -> bool:
        """Reads the fields before the file.

        Returns:
            Whether there is a file; its content is next.

        Raises:
            StageError: INVALID_ARGUMENT with REQUEST_UNREADABLE or REQUEST_TOO_LARGE.
        """
        async for segment in self._events:
            if segment.name == self._file_field and segment.filename is not None:
                self.filename = segment.filename
                return True
            await self._take_field(segment.name)
        return False

    async def file(self) -> AsyncGenerator[bytes, None]:
        """Yields the file's content, and then reads the fields after it.

        Raises:
            StageError: As `until_file`; also where there is another file.
        """
        async for piece in self._content():
            yield piece
        if await self.until_file():
            raise _unreadable(f"The form has several files in the field {self._file_field}")

    async def _take_field(self, name: str) -> None:
        value = bytearray()
        async for piece in self._content():
            self._size += len(piece)
            if self._size > MOST_FIELD_BYTES:
                raise invalid(
                    Reason.REQUEST_TOO_LARGE,
                    f"The fields of the form have more than {MOST_FIELD_BYTES} bytes; send less.",
                    field=name,
                )
            value += piece
        try:
            self.fields.setdefault(name, []).append(value.decode())
        except UnicodeDecodeError as error:
            raise _unreadable(f"The field {name} is not UTF-8") from error

    async def _content(self) -> AsyncGenerator[bytes, None]:
        """The pieces of the segment that has begun, up to its end."""
        async for event in self._events:
            if event is None:
                return
            yield bytes(event)

    async def _parsed(self, body: AsyncIterator[bytes]) -> AsyncGenerator[Any, None]:
        try:
            async for piece in body:
                if piece:
                    for event in self._parser.parse(piece):
                        yield event
            self._parser.close()
        except MultipartError as error:
            raise _unreadable("The form is broken or cut off") from error


def _unreadable(what: str) -> StageError:
    return invalid(
        Reason.REQUEST_UNREADABLE,
        f"{what}; send multipart/form-data with the recording in the field `file`.",
    )
