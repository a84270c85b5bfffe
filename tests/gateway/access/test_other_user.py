"""Another user of the machine gets nothing from a mesh on loopback, and a key lets it in."""

from __future__ import annotations

import os
from typing import Any

import pytest

from maie.access.v1 import access_pb2 as access
from maie_client import Client
from maie_client.live import LiveOptions, linear16
from maie_gateway.server import SERVICES
from maie_pipeline.bindings import BINDINGS
from maie_runtime.rpc.callers import local_user, scopes
from maie_runtime.rpc.callers.socket_owner import can_say
from tests.gateway.access.conftest import USER, Guarded
from tests.gateway.access.test_keys import lists, refusal
from tests.gateway.conftest import EmptyMesh
from tests.runtime.callers.test_local_user import NOBODY, all_called

pytestmark = pytest.mark.mesh


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
@pytest.mark.skipif(not can_say(), reason="this kernel does not say who calls")
async def test_no_rpc_of_gateway_and_stages_answers_another_user(empty_mesh: EmptyMesh) -> None:
    guarded = {path for path, need in scopes.needs().items() if need is not None}
    async with empty_mesh.gateway() as gateway, empty_mesh.service("asr") as asr:
        tried = 0
        for address, services in ((gateway, SERVICES), (asr, BINDINGS["asr"].services)):
            paths = [
                path for path in guarded if path.split("/")[1] in services or "reflection" in path
            ]
            answers = await all_called(address, paths, str(NOBODY))
            answered = dict(zip(paths, answers, strict=True))
            assert all(each.startswith("UNAUTHENTICATED") for each in answers), answered
            tried += len(paths)
        assert tried > len(SERVICES)


async def test_where_the_kernel_does_not_say_who_calls_a_key_does(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_user, "can_say", lambda: False)
    settings = guarded.mesh.gateway_options["access"]
    guarded.mesh.gateway_options["access"] = settings.model_copy(update={"local_user": True})
    async with guarded.mesh.gateway() as address:
        assert await refusal(lists(address, "")) == ("UNAUTHENTICATED", "CREDENTIALS_MISSING")
        assert await lists(address, guarded.bootstrap) == []


async def test_live_speech_wants_its_scope(guarded: Guarded) -> None:
    options: Any = LiveOptions(features=["raw_transcript"], format=linear16(16_000))
    async with guarded.mesh.gateway() as address:
        speaker = await guarded.key(address, "acme", USER)
        reader = await guarded.key(address, "acme", (access.SCOPE_READ,))
        async with Client(address, token=speaker.api_key) as client:
            async with client.live(**options) as session:
                point = session.resume_point
            assert not (await client.get_session(point)).ended
            assert (await client.get_job(session.session_id)).tenant == "acme"
        async with Client(address, token=reader.api_key) as client:
            for asking in (client.live(**options).__aenter__(), client.get_session(point)):
                assert await refusal(asking) == ("PERMISSION_DENIED", "SCOPE_MISSING")
