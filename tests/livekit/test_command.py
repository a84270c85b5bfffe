"""`maie livekit`: what it shows, and how it ends."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import typer

from maie_cli.live.room import transcribe
from maie_client import Client
from maie_livekit import Room
from maie_livekit.room import RoomError
from tests.cli.command import MAIE, run
from tests.client.live.fake_live import SESSION_ID, live_gateway
from tests.livekit.memory_room import MemoryRoom
from tests.livekit.transcribing import truth_of

pytestmark = pytest.mark.unit

ACCESS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "of a test, and as long as it must be"}


async def maie(*arguments: str, **environment: str) -> tuple[int, str]:
    """Runs the command to its end; gives exit code and errors."""
    changed = {**ACCESS, **environment}
    code, _, errors = await asyncio.to_thread(run, "livekit", *arguments, environment=changed)
    return code, errors


@asynccontextmanager
async def joining(room: MemoryRoom) -> AsyncIterator[Room]:
    yield room


async def test_captions_name_the_speakers(capfd: pytest.CaptureFixture[str]) -> None:
    room = MemoryRoom()
    room.subscribe("a", "ann")
    room.subscribe("b", "bob")
    room.say("a", "here")
    room.say("b", "too ")
    room.stop()
    async with live_gateway(truth_of()) as address, Client(address) as client:
        ended = await transcribe(
            joining(room), client, {}, gateways=(), publish=True, as_json=False
        )
    assert ended == (SESSION_ID, True)
    output, errors = capfd.readouterr()
    assert sorted(output.splitlines()) == ["[00:00] Ann: here", "[00:00] Bob: too"]
    assert f"job {SESSION_ID}" in errors
    assert len([each for each in room.captions if each.final]) == 2


async def test_a_room_that_is_lost_is_a_sentence_and_an_exit_code(
    capfd: pytest.CaptureFixture[str],
) -> None:
    room = MemoryRoom()
    room.happen(RoomError("The connection to the room is lost."))
    async with live_gateway(truth_of()) as address, Client(address) as client:
        with pytest.raises(typer.Exit) as raised:
            await transcribe(joining(room), client, {}, gateways=(), publish=False, as_json=False)
    assert raised.value.exit_code == 3
    errors = capfd.readouterr().err.splitlines()
    assert errors[-2:] == [
        f"what was said so far is in job {SESSION_ID}",
        "error: The connection to the room is lost.",
    ]


async def test_a_server_that_does_not_answer_is_a_sentence() -> None:
    with socket.socket() as taken:  # a port where nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        code, errors = await maie("standup", LIVEKIT_URL=url)
    assert code == 3
    assert len(errors.splitlines()) == 1
    assert errors.startswith(f"error: The room at {url} cannot be joined")


async def test_without_the_sdk_it_says_what_to_install(tmp_path: Path) -> None:
    hidden = tmp_path / "livekit"  # a package of that name, without what is needed
    hidden.mkdir()
    (hidden / "__init__.py").touch()
    process = await asyncio.create_subprocess_exec(
        *(str(MAIE), "livekit", "standup"),
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            **ACCESS,
            "LIVEKIT_URL": "ws://127.0.0.1:1",
            "PYTHONPATH": str(tmp_path),
        },
    )
    _, said = await process.communicate()
    code, errors = process.returncode, said.decode()
    assert code == 2
    assert errors.splitlines() == [
        "error: Joining rooms needs LiveKit's SDK; install it with: pip install 'maie-cli[livekit]'"
    ]


async def test_a_server_must_be_named() -> None:
    code, errors = await maie("standup", LIVEKIT_URL="")
    assert code == 2
    assert "--url" in errors
