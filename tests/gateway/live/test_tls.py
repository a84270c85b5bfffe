"""Live speech where all parts of a mesh talk over TLS with certificates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from maie_client import Client
from maie_client.channel import open_channel
from maie_client.tls import Tls, credentials_of
from maie_runtime.rpc.tls import ServerTls
from maie_tls.authority import make_authority
from tests import certificates
from tests.certificates import DAY, TestCa
from tests.gateway.live.conftest import LiveMesh
from tests.gateway.live.conversation import Conversation, expected, refined
from tests.gateway.live.loud_asr import Replica, replica
from tests.gateway.live.speech import said
from tests.gateway.live.test_refinements import CLEAN, PATIENT, WORDS
from tests.waiting import until

pytestmark = pytest.mark.mesh


@pytest.fixture
def ca(tmp_path: Path) -> TestCa:
    """The mesh's CA."""
    return TestCa(folder=tmp_path / "certificates")


@asynccontextmanager
async def running(
    mesh: LiveMesh, ca: TestCa, asr: str = "asr"
) -> AsyncIterator[tuple[str, Replica]]:
    """ASR, enhancement and a gateway, each with a certificate; gives the gateway's address."""
    plain = mesh.empty.mesh
    tls = ServerTls(files=ca.files(asr), clients=True)
    mesh.empty.mesh = ca.settings("enhancement", plain)
    async with replica(mesh.broker, "asr-1", tls=tls) as first, mesh.enhancement():
        mesh.empty.mesh = ca.settings("gateway", plain)
        async with mesh.gateway(**PATIENT) as address:
            yield address, first


@asynccontextmanager
async def talking(address: str, ca: TestCa) -> AsyncIterator[Conversation]:
    """A call of a client that trusts the CA and has no certificate."""
    credentials = credentials_of(Tls(ca_file=ca.ca_file).files().current())
    async with open_channel(address, credentials) as channel:
        conversation = Conversation(channel)
        try:
            yield conversation
        finally:
            await conversation.close()


async def test_a_session_has_its_finals_and_refinements(live_mesh: LiveMesh, ca: TestCa) -> None:
    async with (
        running(live_mesh, ca) as (address, first),
        talking(address, ca) as talk,
    ):
        first.asr.vocabulary = WORDS
        await talk.start(refined())
        await talk.audio("ann", said(list(WORDS)))
        await talk.next("final", len(WORDS))
        await talk.end()
        assert talk.refinements() == CLEAN


async def test_the_python_client_has_a_session(live_mesh: LiveMesh, ca: TestCa) -> None:
    async with running(live_mesh, ca) as (address, _):
        tls = Tls(ca_file=ca.ca_file)
        async with (
            Client(address, tls=tls) as client,
            client.live(features=["raw_transcript"], gateways=[f"https://{address}"]) as session,
        ):
            await session.send(said([1, 2]), "ann")
            await session.end()
            heard = [each.final.segment.text async for each in session if each.HasField("final")]
        assert heard == ["w1", "w2"]


async def test_a_session_goes_on_while_ca_and_certificates_are_replaced(
    live_mesh: LiveMesh, ca: TestCa
) -> None:
    async with (
        running(live_mesh, ca) as (address, first),
        talking(address, ca) as talk,
    ):
        await talk.start()
        await talk.audio("ann", said([1]))
        await talk.next("final", 1)
        new = replace(ca, made=make_authority(DAY))
        certificates.replace(ca.ca_file, new.made.certificate + ca.made.certificate)
        for part in ("asr", "enhancement", "gateway"):
            ca.write(part, new.issue(part))
        certificates.replace(ca.ca_file, new.made.certificate)
        # Its call goes on, and that of another track is over a connection of its own.
        await talk.audio("ann", said([2]))
        await talk.audio("bob", said([3]))
        await talk.next("final", 3)
        assert sorted(talk.finals()) == expected("ann", [1, 2]) + expected("bob", [3])
        assert first.asr.open == 2
        async with talking(address, ca) as other:
            await other.start()


async def test_a_worker_with_the_certificate_of_another_stage_gets_no_audio(
    live_mesh: LiveMesh, ca: TestCa
) -> None:
    async with (
        running(live_mesh, ca, asr="summary") as (address, first),
        talking(address, ca) as talk,
    ):
        await talk.start()
        await talk.audio("ann", said([1]))
        await until(lambda: talk.of("warning") or talk.over.is_set())
        assert not first.asr.configs
