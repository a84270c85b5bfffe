"""What the kernel's answers mean."""

from __future__ import annotations

import errno
import struct
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maie_runtime.rpc.callers import socket_owner
from maie_runtime.rpc.callers.socket_owner import End, owner_in

pytestmark = pytest.mark.unit

OWN = End(address=ip_address("127.0.0.1"), port=41234)
OTHER = End(address=ip_address("127.0.0.1"), port=50051)
OWN6 = End(address=ip_address("::ffff:127.0.0.1"), port=41234)
OTHER6 = End(address=ip_address("::ffff:127.0.0.1"), port=50051)


def answer(
    own: End = OWN, other: End = OTHER, *, state: int = 1, uid: int = 1000, inode: int = 7
) -> bytes:
    """The kernel's description of a socket: inet_diag_msg behind its netlink header."""
    body = (
        struct.pack("=BBBB", 2, state, 0, 0)
        + struct.pack("!HH", own.port, other.port)
        + own.packed()
        + other.packed()
        + struct.pack("=III", 0, 1, 0)
        + struct.pack("=IIIII", 0, 0, 0, uid, inode)
    )
    return struct.pack("=IHHII", 16 + len(body), 20, 0, 1, 0) + body


def failure(code: int) -> bytes:
    return struct.pack("=IHHII", 36, 2, 0, 1, 0) + struct.pack("=i", -code) + bytes(16)


def test_an_established_connection_has_an_owner() -> None:
    assert owner_in(answer(), OWN, OTHER) == 1000
    assert owner_in(answer(uid=0), OWN, OTHER) == 0
    # A socket of IPv6 that holds a connection of IPv4.
    assert owner_in(answer(OWN6, OTHER6), OWN, OTHER) == 1000


@pytest.mark.parametrize(
    "other",
    [
        answer(state=10),  # who listens at that port
        answer(state=4),  # its process closed it
        answer(uid=0, inode=0),
        answer(own=End(address=ip_address("127.0.0.2"), port=41234)),
        answer(own=End(address=OWN.address, port=41235)),
        answer(other=End(address=OTHER.address, port=1)),
        failure(errno.ENOENT),
    ],
)
def test_another_socket_says_nothing(other: bytes) -> None:
    assert owner_in(other, OWN, OTHER) is None


@pytest.mark.parametrize("broken", [failure(errno.EPERM), answer()[:60], b"\1" * 16])
def test_what_the_kernel_does_not_say_is_an_error(broken: bytes) -> None:
    with pytest.raises(OSError, match=r"\S"):
        owner_in(broken, OWN, OTHER)


@given(st.binary(min_size=16, max_size=200))
def test_nothing_else_names_an_owner(noise: bytes) -> None:
    with suppress(OSError):
        assert owner_in(noise, OWN, OTHER) is None


def test_the_question_is_as_the_kernel_reads_it() -> None:
    asked = socket_owner.question(OWN, OTHER)
    assert len(asked) == struct.unpack("=I", asked[:4])[0] == 72
    assert asked[16:18] == bytes((2, 6))
    assert struct.unpack("!HH", asked[24:28]) == (41234, 50051)


@pytest.mark.parametrize("size", [0, 2, 15, 16, 19])
def test_an_answer_that_is_cut_short_is_an_error(size: int) -> None:
    with pytest.raises(OSError, match="cut short"):
        owner_in(bytes(size), OWN, OTHER)
