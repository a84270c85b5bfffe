"""A damaged page of Ogg costs its own sound and moves nothing."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.preprocess import recordings
from tests.preprocess.decoded import decoded, decoded_sound, lag_seconds
from tests.preprocess.test_containers import KINDS

pytestmark = pytest.mark.unit

SECONDS = 20.0
CLOSE = 0.05
GRANULE = slice(6, 14)
FLAGS, LAST = 5, 4
CODED: dict[str, dict[str, Any]] = {
    "opus": KINDS["ogg opus"],
    "flac": {"container": "ogg", "codec": "flac", "rate": 16_000},
    "vorbis": {"container": "ogg", "codec": "vorbis", "rate": 44_100, "layout": "stereo"},
}
Page = bytes


@functools.cache
def pages(codec: str) -> tuple[Page, ...]:
    content = recordings.encode(recordings.speech(SECONDS), **CODED[codec])
    found = []
    while content:
        segments = content[26]
        size = 27 + segments + sum(content[27 : 27 + segments])
        found.append(content[:size])
        content = content[size:]
    return tuple(found)


def changed(page: Page, change: Callable[[int], int]) -> Page:
    """A page that ends elsewhere, with the check sum that it has to have."""
    fresh = bytearray(page)
    end = change(int.from_bytes(page[GRANULE], "little"))
    fresh[GRANULE] = end.to_bytes(8, "little")
    fresh[22:26] = bytes(4)
    fresh[22:26] = checksum(bytes(fresh)).to_bytes(4, "little")
    return bytes(fresh)


def checksum(page: Page) -> int:
    """The sum of RFC 3533, which is zlib's with all bits the other way round and nothing added."""
    mirror = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
    mirrored = zlib.crc32(page.translate(mirror), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)


def test_the_check_sum_is_that_of_ogg() -> None:
    assert all(changed(page, lambda end: end) == page for page in pages("flac"))


@pytest.mark.parametrize("codec", CODED)
def test_a_damaged_page_is_silence_of_its_length(codec: str) -> None:
    whole, broken = list(pages(codec)), list(pages(codec))
    broken[8] = broken[8][:60] + bytes([broken[8][60] ^ 1]) + broken[8][61:]
    original = decoded_sound(b"".join(whole))
    found = decoded_sound(b"".join(broken))
    assert len(found.samples) == pytest.approx(len(original.samples), abs=CLOSE * recordings.RATE)
    (warning,) = found.done.warnings
    assert warning.reason == "GAP"
    assert warning.start_seconds is not None
    assert warning.end_seconds is not None
    assert warning.end_seconds - warning.start_seconds == pytest.approx(1, abs=0.1)
    # Right behind the page already, not only one page later.
    assert lag_seconds(found.samples, original.samples, warning.end_seconds) == pytest.approx(
        0, abs=CLOSE
    )
    before = round((warning.start_seconds - CLOSE) * recordings.RATE)
    assert np.abs(found.samples[:before] - original.samples[:before]).max() < 100


@pytest.mark.parametrize("codec", CODED)
def test_ten_flipped_bits_in_headers_move_nothing_by_ten_seconds(codec: str) -> None:
    broken = list(pages(codec))
    for number in range(4, 14):
        broken[number] = bytes([*broken[number][:8], broken[number][8] ^ 1, *broken[number][9:]])
    original = decoded_sound(b"".join(pages(codec)))
    found = decoded_sound(b"".join(broken))
    assert len(found.samples) == pytest.approx(len(original.samples), abs=CLOSE * recordings.RATE)
    assert lag_seconds(found.samples, original.samples, 15.0) == pytest.approx(0, abs=CLOSE)
    assert [warning.reason for warning in found.done.warnings] == ["GAP"]


@pytest.mark.parametrize("codec", CODED)
def test_a_page_that_claims_another_hour_is_not_believed(codec: str) -> None:
    broken = list(pages(codec))
    broken[8] = changed(broken[8], lambda end: end + 3600 * CODED[codec]["rate"])
    original = decoded_sound(b"".join(pages(codec)))
    found = decoded_sound(b"".join(broken))
    assert np.array_equal(found.samples, original.samples)
    assert not found.done.warnings


@pytest.mark.parametrize("codec", CODED)
def test_a_gap_between_two_pages_is_silence(codec: str) -> None:
    late = [
        changed(page, lambda end: end + 7 * CODED[codec]["rate"]) if number >= 8 else page
        for number, page in enumerate(pages(codec))
    ]
    (warning,) = decoded(b"".join(late)).warnings
    assert warning.reason == "GAP"
    assert warning.start_seconds is not None
    assert warning.end_seconds is not None
    assert warning.end_seconds - warning.start_seconds == pytest.approx(7, abs=CLOSE)
    rate = CODED[codec]["rate"]
    end_of_page = int.from_bytes(pages(codec)[7][GRANULE], "little") / rate
    assert warning.start_seconds == pytest.approx(end_of_page, abs=CLOSE)


@pytest.mark.parametrize("codec", CODED)
def test_a_file_without_its_last_page_says_so(codec: str) -> None:
    assert pages(codec)[-1][FLAGS] & LAST
    (warning,) = decoded(b"".join(pages(codec)[:-1])).warnings
    assert warning.reason == "TRUNCATED"
    assert not decoded(b"".join(pages(codec))).warnings
