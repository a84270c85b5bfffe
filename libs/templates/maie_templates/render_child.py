"""Renders one prompt under limits: reads an order from stdin, writes the text to stdout.

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

# The exit status where the prompt, and not this process, is at fault.
REJECTED = 3


class TooLong(Exception):
    """The output went over its limit."""


def environment() -> ImmutableSandboxedEnvironment:
    """The environment that prompts are parsed and, in this process, rendered in."""
    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render(order: dict[str, Any]) -> str:
    """Renders an order, piece by piece, so that a long output is stopped early.

    Raises:
        TooLong: The output is over its limit.
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
    """Renders the order on stdin."""
    order = json.load(sys.stdin)
    memory = order["limits"]["memory_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    seconds = math.ceil(order["limits"]["seconds"])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    try:
        text, status = render(order), 0
    except MemoryError:
        text, status = "it takes too much memory", REJECTED
    # A prompt is a program of the user's: it can fail in any way that Python knows.
    except (TemplateError, TooLong, ArithmeticError, LookupError, TypeError, ValueError) as error:
        text, status = f"{type(error).__name__}: {error}"[:200], REJECTED
    sys.stdout.buffer.write(text.encode(errors="replace"))
    return status


if __name__ == "__main__":
    sys.exit(main())
