"""What is wrong with a part of a template, and where in it."""

from __future__ import annotations

from collections.abc import Iterable
from json import JSONDecodeError
from typing import ClassVar


class TemplateProblem(ValueError):
    """A part of a template is invalid; the message says where and why.

    Attributes:
        part: The part, as `maie.template.v1.TemplateProblem` names it.
        pointer: Where in its JSON, as a JSON Pointer; empty for all of it.
        line: Its line, from 1; 0 where unknown.
    """

    part: ClassVar[str]

    def __init__(self, message: str, *, pointer: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.line = line

    @property
    def place(self) -> str:
        """The part and where in it, such as "schema_json#/properties/topics" or "prompt:12"."""
        return self.part + (f"#{self.pointer}" if self.pointer else "") + self._line()

    def _line(self) -> str:
        return f":{self.line}" if self.line else ""


def pointer_of(tokens: Iterable[str | int]) -> str:
    """The JSON Pointer (RFC 6901) of names and places in lists."""
    return "".join(f"/{_escaped(str(token))}" for token in tokens)


def line_of(error: Exception) -> int:
    """The line of a text that is no JSON, from 1; 0 where the error names none."""
    return error.lineno if isinstance(error, JSONDecodeError) else 0


def _escaped(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
