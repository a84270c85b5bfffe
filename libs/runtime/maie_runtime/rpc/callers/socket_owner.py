"""Which user owns one end of a TCP connection on this machine, by Linux's sock_diag (netlink).

The kernel answers one question for one connection, in some ten microseconds, without privileges.
https://man7.org/linux/man-pages/man7/sock_diag.7.html has the structures.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

# <linux/netlink.h>, <linux/sock_diag.h>, <linux/inet_diag.h>, <net/tcp_states.h>
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
TCP_ESTABLISHED = 1
ALL_STATES = 0xFFFFFFFF
NO_COOKIE = (0xFFFFFFFF, 0xFFFFFFFF)

_ERROR = struct.Struct("=i")
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI")
_PORTS = struct.Struct("!HH")
_INTERFACE_AND_COOKIE = struct.Struct("=III")
_STATE = struct.Struct("=BBBB")
_REST = struct.Struct("=IIIII")
_ADDRESS_BYTES = 16
_ADDRESSES_BYTES = _PORTS.size + 2 * _ADDRESS_BYTES
_ANSWER_BYTES = (
    _HEADER.size + _STATE.size + _ADDRESSES_BYTES + _INTERFACE_AND_COOKIE.size + _REST.size
)
_MOST_BYTES = 8192

Address = IPv4Address | IPv6Address


@dataclass(kw_only=True, frozen=True, slots=True)
class End:
    """One end of a connection.

    Attributes:
        address: Its IP address.
        port: Its port.
    """

    address: Address
    port: int

    def packed(self) -> bytes:
        """The address as the kernel has it, with zeros behind an IPv4 one."""
        return self.address.packed.ljust(_ADDRESS_BYTES, b"\0")


def owner(own: End, other: End) -> int | None:
    """The user id of the process that holds one end of an established connection.

    Args:
        own: The end whose owner is wanted.
        other: The other end, of the same IP version.

    Returns:
        None where there is no such connection now.

    Raises:
        OSError: This kernel cannot say.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as netlink:
        netlink.send(question(own, other))
        return owner_in(netlink.recv(_MOST_BYTES), own, other)


def can_say() -> bool:
    """Whether this machine's kernel can say who owns a connection."""
    nowhere = End(address=IPv4Address("127.0.0.1"), port=1)
    try:
        owner(nowhere, nowhere)
    except (OSError, AttributeError):  # no Linux, or a sandbox without this kind of netlink
        return False
    return True


def question(own: End, other: End) -> bytes:
    """The message that asks for one socket."""
    family = socket.AF_INET if own.address.version == 4 else socket.AF_INET6
    body = (
        _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, ALL_STATES)
        + _addresses(own, other)
        + _INTERFACE_AND_COOKIE.pack(0, *NO_COOKIE)
    )
    size = _HEADER.size + len(body)
    return _HEADER.pack(size, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + body


def owner_in(answer: bytes, own: End, other: End) -> int | None:
    """The user id in the kernel's answer to `question`; None where there is no such connection.

    Raises:
        OSError: The kernel cannot say.
    """
    if len(answer) < _HEADER.size + _ERROR.size:
        raise OSError("The kernel's answer is cut short.")
    _, kind, *_ = _HEADER.unpack_from(answer)
    if kind == NLMSG_ERROR:
        (code,) = _ERROR.unpack_from(answer, _HEADER.size)
        if -code in (errno.ENOENT, 0):
            return None
        raise OSError(-code, os.strerror(-code))
    if kind != SOCK_DIAG_BY_FAMILY or len(answer) < _ANSWER_BYTES:
        raise OSError("The kernel's answer is not of sock_diag.")
    at = _HEADER.size
    _, state, *_ = _STATE.unpack_from(answer, at)
    at += _STATE.size
    # Where there is no such connection, the kernel may answer with who listens at that port; and
    # a socket that its process has closed belongs to nobody, which older kernels report as root.
    if state != TCP_ESTABLISHED or not _same(answer[at : at + _ADDRESSES_BYTES], own, other):
        return None
    *_, uid, inode = _REST.unpack_from(answer, at + _ADDRESSES_BYTES + _INTERFACE_AND_COOKIE.size)
    return uid if inode else None


def _addresses(own: End, other: End) -> bytes:
    return _PORTS.pack(own.port, other.port) + own.packed() + other.packed()


def _same(addresses: bytes, own: End, other: End) -> bool:
    """Whether an answer is of the connection that was asked for.

    An IPv4 connection may be held by a socket of IPv6, whose addresses are IPv4-mapped.
    """
    return addresses in (_addresses(own, other), _addresses(_mapped(own), _mapped(other)))


def _mapped(end: End) -> End:
    if isinstance(end.address, IPv6Address):
        return end
    return End(address=IPv6Address(b"\0" * 10 + b"\xff\xff" + end.address.packed), port=end.port)
