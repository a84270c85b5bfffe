"""Two gateways behind a real Envoy, with the timeouts that the Helm chart gives Envoy Gateway."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.job.v1 import job_pb2 as job
from maie.job.v1 import job_pb2_grpc
from maie_client import Client
from maie_core.api_keys import BOOTSTRAP_ID, new_key
from maie_gateway.access.settings import AccessSettings
from maie_runtime.worker.stage import StageContext
from tests.conftest import free_port
from tests.gateway.conftest import EmptyMesh
from tests.helm.rendering import objects, of_kind
from tests.waiting import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.skipif(not importlib.util.find_spec("envoy"), reason="no envoy for this machine"),
]

ENVOY = Path(sys.executable).with_name("envoy")
# As Envoy's own of 15 s, which ends a stream, but so short that a test can wait for it. With a
# maxStreamDuration, Envoy would not look at requestTimeout.
SHORT = {"requestTimeout": "1s", "streamIdleTimeout": "1h"}
RECORDING = b"a recording"


async def recording() -> AsyncIterator[bytes]:
    """A recording that empty stages do not look at."""
    yield RECORDING


@dataclass(kw_only=True, frozen=True, slots=True)
class Proxy:
    """An Envoy before two gateways.

    Attributes:
        address: Where it takes calls.
        admin: Where it says what it does.
        gateways: What ends each gateway, by its port.
        key: A key that the gateways take.
    """

    address: str
    admin: str
    gateways: dict[str, AsyncExitStack]
    key: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The credentials of a call."""
        return (("authorization", f"Bearer {self.key}"),)

    async def answered(self) -> dict[str, int]:
        """How many calls each gateway has answered well, by its port."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self.admin}/clusters?format=json") as answer,
        ):
            said = await answer.json(content_type=None)
        return {
            str(host["address"]["socket_address"]["port_value"]): int(stat.get("value", 0))
            for host in said["cluster_statuses"][0]["host_statuses"]
            for stat in host["stats"]
            if stat["name"] == "rq_success"
        }


def chart_timeouts() -> dict[str, str]:
    """The timeouts of the chart's BackendTrafficPolicy for gateways."""
    policies = of_kind(objects("pools"), "BackendTrafficPolicy")
    (policy,) = (each for each in policies if each["spec"]["targetRefs"][0]["kind"] == "GRPCRoute")
    found: dict[str, str] = policy["spec"]["timeout"]["http"]
    return found


@asynccontextmanager
async def proxied(mesh: EmptyMesh, folder: Path, timeouts: dict[str, str]) -> AsyncIterator[Proxy]:
    """Two gateways that take calls from a proxy, and the proxy."""
    key = new_key(BOOTSTRAP_ID).text
    file = folder / "boot.key"
    file.write_text(key)
    mesh.gateway_options |= {
        "plaintext": "behind-a-proxy",
        "access": AccessSettings(bootstrap_key_file=file),
    }
    async with AsyncExitStack() as stack:
        gateways: dict[str, AsyncExitStack] = {}
        for _ in range(2):
            own = await stack.enter_async_context(AsyncExitStack())
            address = await own.enter_async_context(mesh.gateway())
            gateways[address.rpartition(":")[2]] = own
        port, admin = free_port(), free_port()
        config = folder / "envoy.json"
        config.write_text(json.dumps(_config(port, admin, list(gateways), timeouts)))
        process = await asyncio.create_subprocess_exec(
            *(ENVOY, "--config-path", str(config), "--concurrency", "1", "--log-level", "error"),
            *("--base-id", str(port), "--disable-hot-restart"),
        )
        try:
            address = f"127.0.0.1:{port}"
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await _listens(port):
                    await asyncio.sleep(0.05)
            yield Proxy(address=address, admin=f"127.0.0.1:{admin}", gateways=gateways, key=key)
        finally:
            process.terminate()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _config(port: int, admin: int, gateways: list[str], timeouts: dict[str, str]) -> dict[str, Any]:
    """What Envoy Gateway makes of the chart's route and policy, in short."""
    route: dict[str, Any] = {
        "cluster": "gateways",
        "timeout": timeouts["requestTimeout"],
        "idle_timeout": _seconds(timeouts["streamIdleTimeout"]),
        # As Envoy Gateway does by itself.
        "retry_policy": {
            "retry_on": "connect-failure,refused-stream,unavailable,cancelled",
            "num_retries": 2,
            "retry_host_predicate": [
                _typed("previous_hosts", "retry.host.previous_hosts.v3.PreviousHostsPredicate")
            ],
        },
    }
    if "maxStreamDuration" in timeouts:
        route["max_stream_duration"] = {"max_stream_duration": timeouts["maxStreamDuration"]}
    manager = {
        "stat_prefix": "in",
        "codec_type": "AUTO",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": route}],
                }
            ]
        },
        "http_filters": [
            _typed("envoy.filters.http.grpc_web", "filters.http.grpc_web.v3.GrpcWeb"),
            _typed("envoy.filters.http.router", "filters.http.router.v3.Router"),
        ],
    }
    connection = "filters.network.http_connection_manager.v3.HttpConnectionManager"
    upstream = _typed(
        "",
        "upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config={"http2_protocol_options": {}},
    )
    return {
        "admin": {"address": _address(admin)},
        "static_resources": {
            "listeners": [
                {
                    "address": _address(port),
                    "filter_chains": [
                        {
                            "filters": [
                                _typed(
                                    "envoy.filters.network.http_connection_manager",
                                    connection,
                                    **manager,
                                )
                            ]
                        }
                    ],
                }
            ],
            "clusters": [
                {
                    "name": "gateways",
                    "lb_policy": "ROUND_ROBIN",
                    "load_assignment": {
                        "cluster_name": "gateways",
                        "endpoints": [
                            {
                                "lb_endpoints": [
                                    {"endpoint": {"address": _address(int(each))}}
                                    for each in gateways
                                ]
                            }
                        ],
                    },
                    "typed_extension_protocol_options": {
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": upstream[
                            "typed_config"
                        ]
                    },
                }
            ],
        },
    }


def _typed(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    url = f"type.googleapis.com/envoy.extensions.{kind}"
    return {"name": name, "typed_config": {"@type": url, **fields}}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _seconds(duration: str) -> str:
    """A duration as Envoy writes it."""
    return f"{int(duration[:-1]) * {'s': 1, 'm': 60, 'h': 3600}[duration[-1]]}s"


async def test_calls_of_one_connection_go_to_both_gateways(
    empty_mesh: EmptyMesh, tmp_path: Path
) -> None:
    async with (
        proxied(empty_mesh, tmp_path, chart_timeouts()) as proxy,
        Client(proxy.address, token=proxy.key) as client,
    ):
        for _ in range(8):
            await client.list_templates()
        assert sorted((await proxy.answered()).values()) == [4, 4]


async def test_a_gateway_that_ends_takes_no_call_with_it(
    empty_mesh: EmptyMesh, tmp_path: Path
) -> None:
    async with (
        proxied(empty_mesh, tmp_path, chart_timeouts()) as proxy,
        grpc.aio.insecure_channel(proxy.address) as channel,
    ):
        # The stub retries nothing by itself.
        jobs = job_pb2_grpc.JobServiceStub(channel)
        for _ in range(4):
            await jobs.ListJobs(job.ListJobsRequest(), metadata=proxy.metadata)
        ended = next(iter(proxy.gateways))
        await proxy.gateways[ended].aclose()
        for _ in range(8):
            await jobs.ListJobs(job.ListJobsRequest(), metadata=proxy.metadata)


@pytest.mark.parametrize("of", ["chart", "short"])
async def test_a_stream_lives_as_long_as_its_job_with_the_timeouts_of_the_chart(
    empty_mesh: EmptyMesh, tmp_path: Path, of: str
) -> None:
    goes_on = asyncio.Event()

    async def wait(_: StageContext) -> None:
        await goes_on.wait()

    empty_mesh.stages["preprocess"].hook = wait
    timeouts = chart_timeouts() if of == "chart" else SHORT
    async with AsyncExitStack() as stack:
        for slug in empty_mesh.stages:
            await stack.enter_async_context(empty_mesh.service(slug))
        proxy = await stack.enter_async_context(proxied(empty_mesh, tmp_path, timeouts))
        client = await stack.enter_async_context(Client(proxy.address, token=proxy.key))
        made = await client.create_job(recording(), template_id="meeting_notes_v1")
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(proxy.address))
        stub = job_pb2_grpc.JobServiceStub(channel)
        call = stub.WatchJob(job.WatchJobRequest(job_id=made.job_id), metadata=proxy.metadata)
        events = asyncio.ensure_future(_all(call))
        try:
            if of == "short":
                with pytest.raises(grpc.aio.AioRpcError) as ended:
                    await asyncio.wait_for(events, PATIENCE_SECONDS)
                assert "RST_STREAM" in (ended.value.details() or "")
                return
            # Longer than it takes the short limit to end the stream.
            await asyncio.wait([events], timeout=2)
            assert not events.done()
        finally:
            goes_on.set()
        found = await asyncio.wait_for(events, PATIENCE_SECONDS)
        assert found[-1].event.WhichOneof("event") == "finished"


async def _all(call: Any) -> list[job.WatchJobResponse]:
    return [each async for each in call]


async def test_browsers_call_by_grpc_web(empty_mesh: EmptyMesh, tmp_path: Path) -> None:
    async with (
        proxied(empty_mesh, tmp_path, chart_timeouts()) as proxy,
        aiohttp.ClientSession() as session,
        session.post(
            f"http://{proxy.address}/maie.catalog.v1.CatalogService/ListTemplates",
            # A frame without a message, since the request has no fields.
            data=bytes(5),
            headers={
                "content-type": "application/grpc-web+proto",
                "x-grpc-web": "1",
                **dict(proxy.metadata),
            },
        ) as answer,
    ):
        assert answer.status == 200
        body = await answer.read()
    size = int.from_bytes(body[1:5], "big")
    listed = catalog.ListTemplatesResponse.FromString(body[5 : 5 + size])
    assert listed.templates
    # The last frame has the trailers, as text.
    trailers = body[5 + size :]
    assert trailers[0] == 0x80
    assert b"grpc-status:0" in trailers
