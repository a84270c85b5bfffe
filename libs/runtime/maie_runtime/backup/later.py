"""Messages as lines of a file, with their payload in Base64."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from pathlib import Path

from maie_runtime.bus.stream_copy import LaterMessage


def as_line(message: LaterMessage) -> str:
    """A message as a line."""
    fields = {
        "sequence": message.sequence,
        "subject": message.subject,
        "headers": dict(message.headers),
        "data": base64.b64encode(message.data).decode(),
    }
    return json.dumps(fields) + "\n"


async def from_lines(path: Path) -> AsyncGenerator[LaterMessage, None]:
    """The messages of a file."""
    with path.open(encoding="ascii") as lines:
        for line in lines:
            fields = json.loads(line)
            yield LaterMessage(**fields | {"data": base64.b64decode(fields["data"])})
