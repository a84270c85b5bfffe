"""What real browsers record is decoded block by block, page by page."""

from __future__ import annotations

from pathlib import Path

import pytest

from maie_audio.formats import Encoding, Format, Limits
from maie_audio.track import TrackDecoder
from tests.audio.streams import RATE, decoded_file, joined, likeness

pytestmark = pytest.mark.unit

BROWSERS = Path(__file__).parents[1] / "data" / "browsers"


@pytest.mark.parametrize(
    ("name", "encoding", "size", "longest"),
    [("chromium.webm", "webm_opus", 1900, 0.18), ("firefox.ogg", "ogg_opus", 4226, 0.52)],
)
def test_sound_comes_with_each_message(
    name: str, encoding: Encoding, size: int, longest: float
) -> None:
    data = (BROWSERS / name).read_bytes()
    decoder = TrackDecoder(Format(encoding=encoding), Limits())
    parts = []
    for begin in range(0, len(data), size):
        some = decoder.decode(data[begin : begin + size])
        assert len(joined(some)) <= longest * RATE
        parts += some
    # Its clock jitters, and nothing is missing.
    assert all(isinstance(part, bytes) for part in parts)
    assert likeness(joined(parts), decoded_file(data)) > 0.999
    assert abs(len(joined(parts)) - len(decoded_file(data))) <= RATE // 50
