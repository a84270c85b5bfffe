"""Random bytes and messages to every RPC of every service, with and without credentials."""

from __future__ import annotations

import asyncio
import os
import random
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from maie_gateway.server import SERVICES
from maie_pipeline.bindings import BINDINGS
from tests.attacks.conftest import Besieged
from tests.attacks.test_requests import bearer
from tests.nasty import nasty

pytestmark = pytest.mark.mesh

# For each RPC; `make fuzz` takes many.
INPUTS = int(os.environ.get("FUZZ_MESSAGES", "40"))
# A call without an end, such as the watch of a mesh, is left after this.
CALL_SECONDS = 5.0
FAULTS = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.DATA_LOSS}
MAX_GROWTH_BYTES = 400 << 20
LOCAL = (("grpc.enable_http_proxy", 0),)
# A field that no message has, of each wire type, and a group that never ends.
UNKNOWN = (b"\xf8\xff\xff\xff\x07\x01", b"\xfa\xff\xff\xff\x07\x03abc", b"\xfb\xff\xff\xff\x07")


def methods(services: Any) -> list[MethodDescriptor]:
    pool = descriptor_pool.Default()
    return [method for name in services for method in pool.FindServiceByName(name).methods]


def message(method: MethodDescriptor, chance: random.Random) -> bytes:
    """Bytes that are a message of this type, nearly one, or none."""
    kind: type[Message] = GetMessageClass(method.input_type)
    content = nasty(kind, chance).SerializeToString()
    match chance.randrange(6):
        case 0:
            return chance.randbytes(chance.choice((1, 20, 500)))
        case 1 if content:
            changed = bytearray(content)
            changed[chance.randrange(len(changed))] = chance.randrange(256)
            return bytes(changed)
        case 2:
            # Of several fields of a oneof, the last counts.
            return content + nasty(kind, chance).SerializeToString()
        case 3:
            return content + chance.choice(UNKNOWN)
        case 4:
            return content * chance.choice((1, 50))
    return content


def code_of(
    channel: grpc.Channel,
    method: MethodDescriptor,
    messages: list[bytes],
    metadata: tuple[tuple[str, str], ...],
) -> tuple[grpc.StatusCode, str]:
    """How a call with these messages ends.

    The asynchronous client reports INTERNAL by itself where a call ends while it sends, whatever
    the server answered; this one gives the server's status.
    """
    kinds = ["stream" if s else "unary" for s in (method.client_streaming, method.server_streaming)]
    path = f"/{method.containing_service.full_name}/{method.name}"
    call = getattr(channel, "_".join(kinds))(path)
    given: Any = iter(messages) if method.client_streaming else messages[0]
    try:
        answers = call(given, metadata=metadata, timeout=CALL_SECONDS)
        if method.server_streaming:
            deque(answers, maxlen=0)
    except grpc.RpcError as error:
        ended: Any = error
        return ended.code(), ended.details() or ""
    return grpc.StatusCode.OK, ""


def doors(mesh: Besieged) -> Iterator[tuple[str, str, Any, tuple[tuple[str, str], ...]]]:
    """Each part with its address, its services and credentials that it takes."""
    yield "gateway", mesh.gateway, SERVICES, bearer(mesh.bootstrap)
    for slug, binding in BINDINGS.items():
        yield slug, mesh.stage(slug), binding.services, ()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("known", [True, False], ids=["with credentials", "without"])
async def test_random_messages_are_no_fault_of_any_rpc(
    mesh: Besieged, known: bool, record_property: Callable[..., None]
) -> None:
    tried = 0
    for part, address, services, metadata in doors(mesh):
        if not known and part != "gateway":
            continue  # on loopback, the kernel says who calls a stage
        process = psutil.Process(mesh.pids[part])
        before = process.memory_info().rss
        with grpc.insecure_channel(address, LOCAL) as channel:
            for method in methods(services):
                chance = random.Random(f"{method.full_name} {known}")
                for _ in range(INPUTS):
                    messages = [message(method, chance) for _ in range(chance.randint(1, 3))]
                    given = metadata if known else ()
                    code, told = await asyncio.to_thread(code_of, channel, method, messages, given)
                    tried += 1
                    assert code not in FAULTS, (method.full_name, code, told, messages)
                    if not known:
                        assert code is grpc.StatusCode.UNAUTHENTICATED, (method.full_name, told)
        grown = process.memory_info().rss - before
        assert grown < MAX_GROWTH_BYTES, (part, grown)
    record_property("inputs", tried)
