"""What commands that list something print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from maie_cli.console import emit, note, out
from maie_cli.listing import Listing, print_listing
from maie_formats.as_json import to_json

MessageT = TypeVar("MessageT", bound=Message)


def print_found(
    found: Sequence[MessageT],
    listing: Callable[[Sequence[MessageT]], Listing],
    *,
    as_json: bool,
    nothing: str = "",
) -> None:
    """Prints what was found: as a list, or with --json one message on each line.

    Args:
        found: The messages.
        listing: Makes the list of them.
        as_json: Whether JSON is wanted.
        nothing: What to note where there are none; empty: an empty list says that.
    """
    if as_json:
        for each in found:
            emit(to_json(each))
    elif found or not nothing:
        print_listing(out, listing(found))
    else:
        note(nothing)
