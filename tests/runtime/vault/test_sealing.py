"""What is sealed opens with its job's key, and with nothing else or changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_runtime.vault.data_key import SEALED, DataKey, SealError, is_sealed
from maie_runtime.vault.sealed_blob import (
    HEADER_BYTES,
    SEGMENT_BYTES,
    STORED_SEGMENT_BYTES,
    BlobOpener,
    BlobSealer,
    is_sealed_blob,
    open_whole,
    salt_of,
    sealed_whole,
    segments_of,
    stored_range,
)

pytestmark = pytest.mark.unit

KEY = DataKey.new("01900000-0000-7000-8000-000000000000")
SIZES = st.one_of(
    st.integers(0, 100),
    st.sampled_from([0, 1, -1]).map(lambda off: SEGMENT_BYTES + off),
    st.integers(1, 3 * SEGMENT_BYTES + 2),
)


def content_of(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@given(st.binary())
def test_a_message_comes_back(message: bytes) -> None:
    sealed = KEY.seal(message)
    assert is_sealed(sealed)
    assert KEY.open(sealed) == message
    assert KEY.seal(message) != sealed


@given(st.binary(min_size=1), st.data())
def test_a_changed_message_does_not_open(message: bytes, data: st.DataObject) -> None:
    sealed = bytearray(KEY.seal(message))
    place = data.draw(st.integers(len(SEALED), len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        KEY.open(bytes(sealed))


@given(st.binary(), st.integers(0, 60))
def test_a_message_that_was_cut_short_does_not_open(message: bytes, cut: int) -> None:
    sealed = KEY.seal(message)
    with pytest.raises(SealError):
        KEY.open(sealed[: max(len(SEALED), len(sealed) - 1 - cut)])


def test_the_same_secret_for_another_job_opens_nothing() -> None:
    other = DataKey("01900000-0000-7000-8000-000000000001", KEY.secret)
    with pytest.raises(SealError):
        other.open(KEY.seal(b"message"))
    with pytest.raises(SealError):
        open_whole(other, sealed_whole(KEY, b"content"), 7)


def test_no_text_shows_a_key() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert repr(KEY.secret) not in repr(KEY)


@given(SIZES, st.lists(st.integers(1, 2 * SEGMENT_BYTES), max_size=6))
def test_an_object_comes_back_however_it_is_written(size: int, cuts: list[int]) -> None:
    content = content_of(size)
    sealer, stored, start = BlobSealer(KEY), b"", 0
    for cut in cuts:
        stored += sealer.update(content[start : start + cut])
        start += cut
    stored += sealer.update(content[start:]) + sealer.finish()
    assert is_sealed_blob(stored)
    assert len(stored) == HEADER_BYTES + size + 16 * segments_of(size)
    assert open_whole(KEY, stored, size) == content


@given(SIZES, st.data())
def test_a_part_of_an_object_is_opened_alone(size: int, data: st.DataObject) -> None:
    size = max(size, 1)
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    content = content_of(size)
    stored = sealed_whole(KEY, content)
    first, last = stored_range(start, end, size)
    begin = start // SEGMENT_BYTES
    opener = BlobOpener(KEY, salt_of(stored), size, begin)
    opened = opener.update(stored[first:last]) + opener.finish(whole=end == size)
    skipped = begin * SEGMENT_BYTES
    assert opened[start - skipped : end - skipped] == content[start:end]
    # No more is read than the segments with the part.
    assert last - first <= (end // SEGMENT_BYTES - begin + 1) * STORED_SEGMENT_BYTES


@given(st.integers(1, 2 * SEGMENT_BYTES), st.data())
def test_a_changed_object_does_not_open(size: int, data: st.DataObject) -> None:
    stored = bytearray(sealed_whole(KEY, content_of(size)))
    place = data.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        open_whole(KEY, bytes(stored), size)


@pytest.mark.parametrize(
    "order", [(0,), (0, 1), (1, 0, 2), (0, 0, 1, 2), (0, 1, 2, 2), (0, 2), (2,), ()]
)
def test_segments_cannot_be_moved_repeated_or_left_out(order: tuple[int, ...]) -> None:
    size = 2 * SEGMENT_BYTES + 5
    stored = sealed_whole(KEY, content_of(size))
    header, rest = stored[:HEADER_BYTES], stored[HEADER_BYTES:]
    segments = [
        rest[start : start + STORED_SEGMENT_BYTES]
        for start in range(0, len(rest), STORED_SEGMENT_BYTES)
    ]
    with pytest.raises(SealError):
        open_whole(KEY, header + b"".join(segments[number] for number in order), size)


@pytest.mark.parametrize("claimed", [0, 6, 8, SEGMENT_BYTES, SEGMENT_BYTES + 7])
def test_an_object_does_not_open_as_one_of_more_segments(claimed: int) -> None:
    stored = sealed_whole(KEY, content_of(7))
    if segments_of(claimed) == 1:
        # Its size is checked by its digest.
        assert open_whole(KEY, stored, claimed) == content_of(7)
    else:
        with pytest.raises(SealError):
            open_whole(KEY, stored, claimed)


def test_names_of_equal_content_differ_between_jobs() -> None:
    digest = "0" * 64
    other = DataKey.new("01900000-0000-7000-8000-000000000001")
    assert KEY.digest(digest) == KEY.digest(digest) != other.digest(digest)
    assert len(KEY.digest(digest)) == 64
