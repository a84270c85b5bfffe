"""The protocol between the service and a decoding process, over its pipes.

A message is one byte of kind, four bytes of track, four bytes each for the sizes of head
and body (little endian), the head (JSON) and the body. The process sends READY once, then
one answer to each OPEN, AUDIO and SILENCE, in their order: PARTS or REFUSED. CLOSE has no
answer.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Final

from maie_audio.formats import MAX_STATE_BYTES, Part, RefusedError
from maie_core.reasons import Reason

HEADER: Final = struct.Struct("<cIII")

# To the process. OPEN: head is the format, body the state. AUDIO: body is the message.
OPEN: Final = b"O"
AUDIO: Final = b"A"
SILENCE: Final = b"S"
CLOSE: Final = b"C"
# From it. PARTS: head is a list of sizes, body the parts with sound one after another, then
# the state. A size is that of a part in bytes, or below 0 the length of silence in samples.
# REFUSED: head is a list of reason and message.
READY: Final = b"R"
PARTS: Final = b"P"
REFUSED: Final = b"X"

MAX_HEAD_BYTES: Final = 64 * 1024
# Ten seconds of eight channels are 2.6 MB.
MAX_BODY_BYTES: Final = 4 * 1024 * 1024


@dataclass(kw_only=True, frozen=True, slots=True)
class Answer:
    """An answer of the process.

    Attributes:
        parts: The next audio of the track.
        state: The decoder's state after it.
        refused: Why the message is refused; None otherwise.
    """

    parts: list[Part]
    state: bytes
    refused: RefusedError | None = None


def pack(kind: bytes, track: int, head: bytes = b"", body: bytes = b"") -> bytes:
    """Makes a message."""
    return HEADER.pack(kind, track, len(head), len(body)) + head + body


def parse_answer(kind: bytes, head: bytes, body: bytes) -> Answer:
    """Reads an answer of the process, which is not trusted.

    Raises:
        LookupError: It has an unknown reason.
        ValueError: It is none.
    """
    fields = json.loads(head) if head else []
    if kind == REFUSED:
        reason, message = fields
        refused = RefusedError(Reason.__members__[reason], str(message))
        return Answer(parts=[], state=b"", refused=refused)
    if kind not in {READY, PARTS} or not all(isinstance(size, int) for size in fields):
        raise ValueError("its kind is unknown")
    parts: list[Part] = []
    at = 0
    for size in fields:
        parts.append(-size if size < 0 else body[at : at + size])
        at += max(size, 0)
    if at > len(body) or len(body) - at > MAX_STATE_BYTES:
        raise ValueError("its size is not what it states")
    return Answer(parts=parts, state=body[at:])
