"""One large upload over HTTP to the web part, against gRPC to the gateway behind it.

Broker, gateway and web part are processes of their own and there are no services, so jobs wait;
each is cancelled afterwards. The clients run in this process, on the same cores, and take turns.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from http.client import HTTPConnection
from statistics import median
from typing import Annotated

import typer

from bench.meshes import data_folder, gateway_alone
from bench.others import Others
from bench.processes import peak_bytes
from bench.report import Figure, JsonOption, Report, note
from bench.upload import MEBIBYTE, noise, upload
from maie_cli.mesh.child import Child
from maie_cli.mesh.parts import GATEWAY, WEB
from maie_client import Client

MIN_RATIO = 0.7
# What an upload of any size may add to a process.
MAX_GROWTH_MB = 60
BOUNDARY = "the-end-of-a-part"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="features"\r\n\r\nraw_transcript\r\n'
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="noise.wav"\r\n\r\n'
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    mebibytes: Annotated[int, typer.Option(help="The size of each upload.")] = 500,
    pairs: Annotated[int, typer.Option(help="How often each way runs, in turn.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Prints the MB/s of HTTP over those of gRPC, and what the parts' memory grew by."""
    asyncio.run(_main(mebibytes, pairs, as_json))


async def _main(mebibytes: int, pairs: int, as_json: bool) -> None:
    others = Others()
    size = mebibytes * MEBIBYTE
    async with AsyncExitStack() as stack:
        data = stack.enter_context(data_folder())
        taken = {"MAIE_GATEWAY_MAX_UPLOAD_BYTES": str(size)}
        parts = await stack.enter_async_context(gateway_alone(data, taken, web=True))
        client = await stack.enter_async_context(Client(parts[GATEWAY].part.address))
        await _pair(client, parts[WEB], MEBIBYTE)  # the first ones load what is loaded late
        before = {name: peak_bytes(parts[name].pid) for name in (GATEWAY, WEB)}
        found = [await _pair(client, parts[WEB], size) for _ in range(pairs)]
        growth = {name: peak_bytes(parts[name].pid) - least for name, least in before.items()}
    megabytes = size / 1e6
    by_grpc, by_http = zip(*found, strict=True)
    Report(
        bench="web_upload",
        measured="Random bytes by CreateJob of the gateway and by POST /v1/process of the web "
        "part, with a file store.",
        settings={"megabytes": round(megabytes, 1), "pairs": pairs},
        figures=[
            Figure(name="gRPC, best", value=megabytes / min(by_grpc), unit="MB/s"),
            Figure(name="HTTP, best", value=megabytes / min(by_http), unit="MB/s"),
            Figure(
                name="HTTP over gRPC, median of pairs",
                value=median(grpc / http for grpc, http in found),
                at_least=MIN_RATIO,
            ),
            *(
                Figure(
                    name=f"growth of the {name}'s memory",
                    value=grown / 1e6,
                    unit="MB",
                    at_most=MAX_GROWTH_MB,
                )
                for name, grown in growth.items()
            ),
            Figure(name="CPU that others took meanwhile", value=100 * others.share(), unit="%"),
        ],
    ).print(as_json)


async def _pair(client: Client, web: Child, size: int) -> tuple[float, float]:
    """Seconds of one upload by gRPC, and of one over HTTP."""
    by_grpc = await upload(client, size)
    started = time.perf_counter()
    job_id = await asyncio.to_thread(_post, web.part.address, size)
    by_http = time.perf_counter() - started
    await client.cancel_job(job_id)
    note(f"gRPC {by_grpc:.2f} s, HTTP {by_http:.2f} s")
    return by_grpc, by_http


def _post(address: str, size: int) -> str:
    """Posts a form with a recording, and gives the id of its job.

    Raises:
        RuntimeError: The web part does not take it.
    """
    connection = HTTPConnection(address)
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(HEAD) + size + len(TAIL)),
    }
    connection.request("POST", "/v1/process", _form(size), headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    if answer.status != 202:
        raise RuntimeError(f"The web part answered {answer.status}: {content.decode()}")
    job_id: str = json.loads(content)["job_id"]
    return job_id


def _form(size: int) -> Iterator[bytes]:
    yield HEAD
    yield from noise(size)
    yield TAIL


if __name__ == "__main__":
    app()
