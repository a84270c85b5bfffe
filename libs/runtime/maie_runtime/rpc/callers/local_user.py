"""Callers on this machine, known by the kernel: the user who runs the server, and no other."""

from __future__ import annotations

import ipaddress
import os
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import unquote

from maie_core.caller import ALL_SCOPES, DEFAULT_TENANT, Caller, CallerKind
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.callers.authenticator import AUTHORIZATION, Call
from maie_runtime.rpc.callers.socket_owner import Address, End, can_say, owner

# Its users are those of the machine: https://man7.org/linux/man-pages/man7/user_namespaces.7.html
_INITIAL_NAMESPACE = ["0", "0", "4294967295"]
LOOPBACK: dict[int, Address] = {4: IPv4Address("127.0.0.1"), 6: IPv6Address("::1")}
"""The loopback address of each IP version, where a server's name stands for both."""


class LocalUser:
    """Knows the user who runs this server, over loopback connections.

    The kernel is asked in each call: a process may end, and another user's may get its port. A
    connection that a program of this user forwards, such as `ssh -L` or a proxy, is this user's.

    Attributes:
        remedy: How to call with its credentials, as a sentence.
    """

    def __init__(self) -> None:
        self._uid = os.getuid()
        self._id = f"local:{self._uid}"
        self._works = can_say() and not is_ambiguous(self._uid, *_user_namespace())
        self.remedy = (
            "Call it from the same machine, as the user who runs it."
            if self._works
            else "This machine's kernel does not say which user calls, so no call is known by that."
        )

    async def caller_of(self, call: Call) -> Caller | None:
        """The user who runs this server, acting for any tenant; None for everybody else.

        Raises:
            StageError: UNAUTHENTICATED where the kernel refuses to answer.
        """
        if AUTHORIZATION in call.metadata:
            return None  # who shows credentials is judged by them
        try:
            is_own = self.has(call.peer, call.server)
        except OSError as error:
            raise StageError(
                Code.UNAUTHENTICATED,
                Reason.CREDENTIALS_MISSING,
                "The kernel does not say which user calls; send an API key (docs/access.md).",
            ) from error
        if not is_own:
            return None
        return Caller(id=self._id, tenant=DEFAULT_TENANT, scopes=ALL_SCOPES, kind=CallerKind.LOCAL)

    def has(self, peer: str, server: str) -> bool:
        """Whether a connection is from a program of this user on this machine.

        Args:
            peer: The caller's address as gRPC writes it.
            server: The HOST:PORT that the server listens on.

        Raises:
            OSError: The kernel refuses to answer.
        """
        ends = ends_of(peer, server) if self._works else None
        return ends is not None and owner(*ends) == self._uid


def ends_of(peer: str, server: str) -> tuple[End, End] | None:
    """The caller's and the server's end of a connection; None where the caller is not on loopback.

    Args:
        peer: The caller's address as gRPC writes it, such as "ipv6:%5B::1%5D:41234".
        server: The HOST:PORT that the server listens on.
    """
    caller = end_of_peer(peer)
    if caller is None or not caller.address.is_loopback:
        return None
    listening = _end(server)
    address = LOOPBACK[caller.address.version]
    if listening and listening.address.is_loopback:
        if listening.address.version != caller.address.version:
            return None
        address = listening.address
    return caller, End(address=address, port=int(server.rpartition(":")[2]))


def end_of_peer(peer: str) -> End | None:
    """The caller's end of a connection; None where it has no IP address.

    Args:
        peer: The caller's address as gRPC writes it, such as "ipv6:%5B::1%5D:41234".
    """
    scheme, _, place = unquote(peer).partition(":")
    return _end(place) if scheme in ("ipv4", "ipv6") else None


def is_ambiguous(uid: int, overflow_uid: str, uid_map: str) -> bool:
    """Whether the kernel may report other users under a user's id.

    In a user namespace, such as of a container, all users from outside have one id.

    Args:
        uid: The user's id.
        overflow_uid: The content of /proc/sys/kernel/overflowuid.
        uid_map: The content of /proc/self/uid_map.
    """
    return str(uid) == overflow_uid.strip() and uid_map.split() != _INITIAL_NAMESPACE


def _user_namespace() -> tuple[str, str]:
    return (
        Path("/proc/sys/kernel/overflowuid").read_text(encoding="ascii"),
        Path("/proc/self/uid_map").read_text(encoding="ascii"),
    )


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach a server that listens on this HOST:PORT."""
    end = _end(listen)
    return end.address.is_loopback if end else listen.rpartition(":")[0] == "localhost"


def _end(place: str) -> End | None:
    """An IP address and port; None for a name."""
    host, _, port = place.rpartition(":")
    try:
        address, number = ipaddress.ip_address(host.strip("[]")), int(port)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return End(address=mapped or address, port=number)
