"""Requests over HTTP are spans, in the trace of who sends them, and calls are their children."""

from __future__ import annotations

import pytest

from tests.collector import collecting, tracing_variables
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import web_before

pytestmark = pytest.mark.mesh

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
JOB = "0199a000-7f31-7c11-8a54-0d5d4c1f0a11"
ROUTE = "/v1/jobs/{job_id}"
CALL = "maie.job.v1.JobService/GetJob"


async def test_a_request_is_a_span_between_its_caller_and_its_calls(
    empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with collecting() as collector:
        async with empty_mesh.running() as client:
            for name, value in tracing_variables(collector).items():
                monkeypatch.setenv(name, value)
            # What is sent is flushed when the web part ends.
            async with web_before(client) as web:
                got = await web.http.get(f"/v1/jobs/{JOB}?secret=word", headers=CALLER)
                assert got.status_code == 404
                assert (await web.http.get("/v1/session/none")).status_code == 404
                assert (await web.http.get("/health/live")).status_code == 200
                await web.http.get("/live")
        (served,) = collector.named(f"GET {ROUTE}")
        (call,) = collector.named(CALL)
        unrouted = [each for each in collector.named("GET") if each.part == "maie-web"]
    assert (served.part, served.kind) == ("maie-web", "SERVER")
    assert (served.trace_id, served.parent_id) == (TRACE, SPAN)
    assert served.attributes == {
        "http.request.method": "GET",
        "http.route": ROUTE,
        "http.response.status_code": 404,
    }
    assert (call.part, call.kind, call.parent_id) == ("maie-web", "CLIENT", served.span_id)
    assert len(unrouted) == 1, "a request without a route has a span"
    assert not collector.named("GET /health/live"), "a probe has none"
    assert len(collector.named("GET /live")) == 1, "and the page of live captions has one"
    assert not any("word" in str(each.raw) for each in collector.spans)


async def test_without_tracing_the_trace_of_the_caller_reaches_the_gateway(
    empty_mesh: EmptyMesh, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with collecting() as collector:
        with monkeypatch.context() as of_gateway:
            for name, value in tracing_variables(collector).items():
                of_gateway.setenv(name, value)
            mesh = empty_mesh.running()
            client = await mesh.__aenter__()
        try:
            async with web_before(client) as web:
                await web.http.get(f"/v1/jobs/{JOB}", headers=CALLER)
        finally:
            await mesh.__aexit__(None, None, None)
        (call,) = collector.named(CALL)
    assert (call.part, call.trace_id, call.parent_id) == ("maie-gateway", TRACE, SPAN)
