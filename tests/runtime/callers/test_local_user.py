"""On loopback, the kernel says who calls: the user who runs the server, and nobody else."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from maie_runtime.rpc.callers.local_user import ends_of, is_ambiguous, is_loopback
from maie_runtime.rpc.callers.socket_owner import End, can_say
from tests.runtime.callers.asking import FOLLOW, READ, asking, channel_to

OTHER_USER = Path(__file__).with_name("other_user.py")
NOBODY = 65534
SPOKEN = pytest.mark.skipif(not can_say(), reason="this kernel does not say who calls")


async def called(address: str, path: str, *uid: str) -> str:
    """What another process gets."""
    (answer,) = await all_called(address, [path], *uid)
    return answer


async def all_called(address: str, paths: Sequence[str], *uid: str) -> list[str]:
    """What another process gets of each path."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(OTHER_USER), address, ",".join(paths), *uid),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    answers = output.decode().splitlines()
    assert len(answers) == len(paths)
    return answers


@SPOKEN
@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "localhost:0", "127.0.0.2:0"])
async def test_the_user_who_runs_the_server_may_call_it(listen: str) -> None:
    async with asking(listen) as address, channel_to(address) as channel:
        answer = await channel.unary_unary(READ)(b"", metadata=(("maie-tenant", "acme"),))
        assert answer == f"local local:{os.getuid()} acme admin,live,read,submit".encode()
        assert await called(address, READ) == "OK"


@SPOKEN
async def test_a_client_over_mapped_addresses_is_known() -> None:
    async with asking("127.0.0.1:0") as address:
        port = address.rpartition(":")[2]
        async with channel_to(f"ipv6:[::ffff:127.0.0.1]:{port}") as channel:
            assert (await channel.unary_unary(READ)(b"")).startswith(b"local")


@SPOKEN
@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0"])
@pytest.mark.parametrize("path", [READ, FOLLOW])
async def test_another_user_of_the_machine_may_not(listen: str, path: str) -> None:
    async with asking(listen) as address:
        assert await called(address, path, str(os.getuid())) == "OK"
        refused = await called(address, path, str(NOBODY))
        assert refused.startswith("UNAUTHENTICATED The server does not know who calls.")
        assert await called(address, "/grpc.health.v1.Health/Check", str(NOBODY)) == "OK"
        reflection = await called(
            address, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", str(NOBODY)
        )
        assert reflection.startswith("UNAUTHENTICATED")


@SPOKEN
@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
async def test_who_hangs_up_at_once_is_not_taken_for_root() -> None:
    """Older kernels report the socket of a process that closed it as root's."""
    from maie_runtime.rpc.callers.socket_owner import owner

    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            own, other = _end(client.getsockname()), _end(accepted.getsockname())
            assert owner(own, other) == os.getuid()
        # Closed, while the other end is not: what is left of it belongs to no process.
        assert owner(own, other) is None
        accepted.close()
        assert owner(_end(server.getsockname()), own) is None


def _end(name: tuple[str, int]) -> End:
    from ipaddress import ip_address

    return End(address=ip_address(name[0]), port=name[1])


@pytest.mark.unit
@pytest.mark.parametrize(
    ("peer", "server", "expected"),
    [
        ("ipv4:127.0.0.1:41234", "127.0.0.1:50051", ("127.0.0.1", 41234, "127.0.0.1", 50051)),
        ("ipv4:127.0.0.1:41234", "localhost:50051", ("127.0.0.1", 41234, "127.0.0.1", 50051)),
        ("ipv4:127.0.0.1:41234", "127.0.0.2:50051", ("127.0.0.1", 41234, "127.0.0.2", 50051)),
        ("ipv6:%5B::1%5D:41234", "[::1]:50051", ("::1", 41234, "::1", 50051)),
        ("ipv6:[::1]:41234", "localhost:50051", ("::1", 41234, "::1", 50051)),
        (
            "ipv6:%5B::ffff:127.0.0.1%5D:41234",
            "localhost:50051",
            ("127.0.0.1", 41234, "127.0.0.1", 50051),
        ),
        ("ipv4:10.0.0.7:41234", "0.0.0.0:50051", None),
        ("ipv6:%5B::1%5D:41234", "127.0.0.1:50051", None),
        ("ipv6:%5Bfe80::1%25eth0%5D:41234", "[::]:50051", None),
        ("unix:/run/maie.sock", "127.0.0.1:50051", None),
        ("unix:", "127.0.0.1:50051", None),
        ("", "127.0.0.1:50051", None),
        ("ipv4:", "127.0.0.1:50051", None),
        ("ipv4:nonsense", "127.0.0.1:50051", None),
        ("ipv4:127.0.0.1:no", "127.0.0.1:50051", None),
    ],
)
def test_the_ends_of_a_connection(
    peer: str, server: str, expected: tuple[str, int, str, int] | None
) -> None:
    ends = ends_of(peer, server)
    found = ends and tuple(part for end in ends for part in (str(end.address), end.port))
    assert found == expected


@pytest.mark.unit
@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("127.0.0.1:0", True),
        ("127.9.9.9:1", True),
        ("[::1]:50051", True),
        ("localhost:50051", True),
        ("0.0.0.0:50051", False),
        ("[::]:50051", False),
        ("10.0.0.1:50051", False),
        ("gateway.example:50051", False),
        ("localhost.example:50051", False),
        ("[::ffff:127.0.0.1]:50051", True),
    ],
)
def test_which_addresses_only_this_machine_reaches(listen: str, expected: bool) -> None:
    assert is_loopback(listen) is expected


@pytest.mark.unit
@pytest.mark.parametrize(
    ("uid", "uid_map", "expected"),
    [
        (65534, "         0          0 4294967295\n", False),
        (65534, "         0     100000      65536\n", True),
        (1000, "         0     100000      65536\n", False),
        (0, "         0       1000          1\n", False),
    ],
)
def test_in_a_container_nobody_is_not_told_from_users_outside(
    uid: int, uid_map: str, expected: bool
) -> None:
    assert is_ambiguous(uid, "65534\n", uid_map) is expected
