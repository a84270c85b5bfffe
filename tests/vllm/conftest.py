"""One engine for all tests that do not end it: loading one takes longer than most of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

import pytest
import pytest_asyncio

from maie_llm.settings import GenerationSettings
from maie_llm.vllm import open_vllm
from maie_runtime.bus.provision import open_provisioned_broker
from tests.conftest import NatsServer
from tests.vllm.tiny import tiny_settings

if TYPE_CHECKING:
    # Importing it takes long; `open_vllm` does so in a thread.
    from maie_llm.vllm.model import VllmModel

# Those of vLLM, torch and transformers about themselves; ours stay errors.
THIRD_PARTY = ("vllm", "torch", "transformers", "tokenizers", "importlib", "multiprocessing")
IGNORED = (
    *(f"ignore:::{module}.*" for module in THIRD_PARTY),
    "ignore::DeprecationWarning:<frozen importlib.*",
    # vLLM leaves its sockets to the garbage collector.
    "ignore:Unclosed (context|socket) <zmq:ResourceWarning",
)


def pytest_configure(config: pytest.Config) -> None:
    """Leaves other projects' warnings to them."""
    for warning in IGNORED:
        config.addinivalue_line("filterwarnings", warning)


@pytest.fixture
async def nats_server(nats_server: NatsServer) -> NatsServer:
    """A running nats-server, provisioned: the services here run without a gateway."""
    async with open_provisioned_broker(nats_server.url, "test"):
        return nats_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def model() -> AsyncIterator[VllmModel]:
    """The tiny model, loaded while the loop goes on."""
    ready = asyncio.Event()
    ended = asyncio.Event()
    opened: list[VllmModel] = []

    async def hold() -> None:
        # In a task of its own: set-up and tear-down of a fixture may be in different ones.
        async with open_vllm(tiny_settings(), GenerationSettings()) as model:
            opened.append(cast("VllmModel", model))
            ready.set()
            await ended.wait()

    holding = asyncio.create_task(hold())
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([holding, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if holding.done():
        await holding
    yield opened[0]
    ended.set()
    await holding
