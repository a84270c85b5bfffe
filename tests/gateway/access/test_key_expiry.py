"""When the next API key expires is a metric."""

from __future__ import annotations

import time

import pytest

from maie.access.v1 import stored_pb2 as stored
from maie_gateway.access.key_ring import KeyRing
from maie_runtime.bus.watch import Entry
from tests.measuring import Measured

pytestmark = pytest.mark.unit


def note(ring: KeyRing, name: str, seconds: int | None) -> None:
    """Lets a ring see a key that expires in so many seconds."""
    key = stored.StoredKey()
    key.key.key_id = name
    if seconds is not None:
        key.key.expire_time.FromSeconds(int(time.time()) + seconds)
    ring.note(Entry(key=name, value=key.SerializeToString(), revision=1))


def test_the_next_key_that_expires_counts() -> None:
    ring, measured = KeyRing(lambda _: None), Measured()
    ring.observe(measured.meter)
    note(ring, "never", None)
    note(ring, "expired", -10)
    assert measured.numbers("maie.key.expiry") == []
    note(ring, "later", 9000)
    note(ring, "next", 500)
    ((labels, end),) = measured.numbers("maie.key.expiry")
    assert labels == {}
    assert 490 <= end - time.time() <= 510
