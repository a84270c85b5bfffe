"""Servers of language models that doctor finds on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from maie_cli.doctor.finding import Finding, Health
from maie_cli.doctor.servers import KINDS, servers

pytestmark = pytest.mark.unit

Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server on a free port that gives one answer to GET /v1/models."""
    running: list[ThreadingHTTPServer] = []
    done = Event()

    def start(answer: object, *, status: int = 200, silent: bool = False) -> int:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if silent:
                    done.wait(10)
                    return
                self.send_response(status if self.path == "/v1/models" else 404)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return server.server_port

    yield start
    done.set()
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def nowhere(serve: Serve) -> dict[str, int]:
    """Each kind at a port where another program answers."""
    return {kind.name: serve(b"<html>It works!</html>") for kind in KINDS}


async def _found(ports: dict[str, int]) -> list[Finding]:
    return [finding async for finding in servers(ports)]


def models(*ids: str, owner: str = "", **more: object) -> dict[str, object]:
    return {"object": "list", "data": [{"id": id_, "owned_by": owner, **more} for id_ in ids]}


async def test_none_is_no_fault_and_other_programs_are_none(nowhere: dict[str, int]) -> None:
    (finding,) = await _found(nowhere)
    assert finding.health is Health.ABSENT
    assert f"LM Studio ({nowhere['LM Studio']})" in finding.detail


async def test_the_settings_that_use_it_are_said(nowhere: dict[str, int], serve: Serve) -> None:
    port = serve(models("nomic-embed-text:latest", "llama3.2:3b", owner="library"))
    (finding,) = await _found(nowhere | {"Ollama": port})
    assert finding.health is Health.OK
    assert finding.detail == f"Ollama at 127.0.0.1:{port} with llama3.2:3b"
    assert finding.mend == (
        f"for summaries set MAIE_SUMMARY_ENGINE=openai "
        f"MAIE_SUMMARY_OPENAI_BASE_URL=http://127.0.0.1:{port}/v1 "
        "MAIE_SUMMARY_OPENAI_MODEL=llama3.2:3b "
        "MAIE_SUMMARY_OPENAI_WINDOW=N, where N is its OLLAMA_CONTEXT_LENGTH"
    )


async def test_a_server_that_tells_its_window_needs_no_setting_for_it(
    nowhere: dict[str, int], serve: Serve
) -> None:
    port = serve(models("Qwen/Qwen3-8B", owner="vllm", max_model_len=16384))
    (finding,) = await _found(nowhere | {"llama.cpp": port})  # whatever port it took
    assert finding.detail == f"vLLM at 127.0.0.1:{port} with Qwen/Qwen3-8B"
    assert finding.mend.endswith("MAIE_SUMMARY_OPENAI_MODEL=Qwen/Qwen3-8B")


async def test_all_that_answer_are_named(nowhere: dict[str, int], serve: Serve) -> None:
    ports = nowhere | {
        "Ollama": serve({"object": "list", "data": None}),
        "llama.cpp": serve(models("a; rm b", owner="llamacpp")),
        "vLLM": serve({"error": "Unauthorized"}, status=401),
        "LM Studio": serve(models("a", "b", "c", "d", "e")),
    }
    ollama, llama, vllm, studio = await _found(ports)
    assert "Ollama at" in ollama.detail
    assert "no model that writes" in ollama.detail
    assert "MAIE_SUMMARY_OPENAI_MODEL='a; rm b'" in llama.mend
    assert "wants a key" in vllm.detail
    assert "MAIE_SUMMARY_OPENAI_API_KEY=KEY" in vllm.mend
    assert studio.detail.endswith("with a, b, c and 2 more")


async def test_a_server_that_says_nothing_is_waited_for_briefly(
    nowhere: dict[str, int], serve: Serve
) -> None:
    (finding,) = await _found(nowhere | {"vLLM": serve({}, silent=True)})
    assert finding.health is Health.ABSENT


@pytest.mark.parametrize("answer", [b"", b"\xff", b"[]", b"{}", b"x" * (1 << 21)])
async def test_no_answer_breaks_the_search(
    answer: bytes, nowhere: dict[str, int], serve: Serve
) -> None:
    (finding,) = await _found(nowhere | {"vLLM": serve(answer)})
    assert finding.health is Health.ABSENT
