"""What starts decoding processes for all tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maie_audio.decoders import PROGRAM
from maie_audio.fork_server import ForkServer


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    with ForkServer(PROGRAM) as server:
        yield server
