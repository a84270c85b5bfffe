"""Renders one prompt under limits: reads a request from stdin, writes the text to stdout.

Run as a file and not as a module, so that it starts without the rest of the package.
"""

from __future__ import annotations

import json
import math
import resource
import sys
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

# The exit status for an error of the prompt, not of this process.
REJECTED = 3


class TooLong(Exception):
    """The output exceeded its limit."""


def environment() -> ImmutableSandboxedEnvironment:
    """The Jinja environment for parsing and, in this process, rendering prompts."""
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(order: dict[str, Any]) -> str:
    """Renders a request piece by piece, to stop a long output early.

    Raises:
        TooLong: The output exceeded its limit.
    """
    most = order["limits"]["output_chars"]
    pieces, length = [], 0
    for piece in environment().from_string(order["prompt"]).generate(**order["variables"]):
        length += len(piece)
        if length > most:
            raise TooLong(f"its output is longer than {most} characters")
        pieces.append(piece)
    return "".join(pieces)


def main() -> int:
    """Renders the request on stdin."""
    order = json.load(sys.stdin)
    memory = order["limits"]["memory_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    seconds = math.ceil(order["limits"]["seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        text, status = render(order), 0
    except MemoryError:
        text, status = "it takes too much memory", REJECTED
    # A prompt is a user's program: it can raise any exception.
    except (TemplateError, TooLong, ArithmeticError, LookupError, TypeError, ValueError) as error:
        text, status = f"{type(error).__name__}: {error}"[:200], REJECTED
    sys.stdout.buffer.write(text.encode(errors="replace"))
    return status


if __name__ == "__main__":
    sys.exit(main())
