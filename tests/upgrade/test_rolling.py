"""The parts of a mesh are replaced one by one by those of this release, and back, under load."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from maie.job.v1 import job_pb2 as job
from maie_cli.mesh.child import Child
from maie_cli.mesh.local import LocalMesh
from maie_cli.mesh.options import STAGES, MeshOptions
from maie_cli.mesh.parts import GATEWAY
from maie_client import Client
from tests.mesh.conftest import sample_audio, write_wav
from tests.second_gateway import SECOND_GATEWAY, start_second_gateway
from tests.upgrade.load import PATIENCE, Load
from tests.upgrade.releases import ROOT, no_release_before, python_path, unpack_before
from tests.upgrade.standstill import moving
from tests.upgrade.talk import Talk

pytestmark = [
    pytest.mark.mesh,
    pytest.mark.slow,
    # What stalls is noticed by `moving`.
    pytest.mark.timeout(0),
    pytest.mark.skipif(no_release_before() is not None, reason=str(no_release_before())),
]

# One sentence of the sample.
RECORDING_SECONDS = 4.0
# Its engine would take most of the time. The other stages are those of users.
ASR = (sys.executable, "-P", str(Path(__file__).with_name("asr.py")))
# Of each stage one worker, and then the other: in between, both releases take its tasks.
WORKERS = (STAGES, tuple(f"{stage}-2" for stage in STAGES))
GATEWAYS = ((GATEWAY,), (SECOND_GATEWAY,))
ORDERS = {"workers first": WORKERS + GATEWAYS, "gateways first": GATEWAYS + WORKERS}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The PYTHONPATH of the release before."""
    return unpack_before(tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "sentence.wav"
    write_wav(path, sample_audio(RECORDING_SECONDS))
    return path


def test_the_release_before_is_another_source(before: str) -> None:
    asked = [sys.executable, "-P", "-c", "import maie_gateway; print(maie_gateway.__file__)"]
    found = {
        subprocess.run(asked, env={"PYTHONPATH": path}, capture_output=True, check=True).stdout
        for path in (before, python_path(ROOT))
    }
    assert len(found) == 2


@pytest.mark.parametrize("order", ORDERS)
async def test_no_job_is_lost_while_releases_work_side_by_side(
    before: str, recording: Path, tmp_path: Path, order: str
) -> None:
    options = MeshOptions(
        data=tmp_path / "mesh",
        port_base=0,
        profile="tiny",
        workers=dict.fromkeys(STAGES, 2),
        environment={"PYTHONPATH": before},
        commands={**_new_stages(before), "asr": ASR},
    )
    async with LocalMesh(options, lambda _: None) as mesh:
        await start_second_gateway(mesh)
        addresses = [mesh.children[name].part.address for name in (GATEWAY, SECOND_GATEWAY)]
        async with (
            Client(addresses[0], patience=PATIENCE) as one,
            Client(addresses[1], patience=PATIENCE) as other,
        ):
            load, talk = Load((one, other), recording), Talk(addresses)

            def progress() -> list[int]:
                return [len(each) for each in (load.accepted, load.done, talk.said, talk.finals)]

            async def goes_on() -> None:
                await asyncio.gather(load.goes_on(), talk.goes_on())

            async with moving(progress):
                async with load.running(), talk.running():
                    await goes_on()
                    for names in ORDERS[order]:
                        await _replace(mesh, names, python_path(ROOT))
                        await goes_on()
                    for names in reversed(ORDERS[order]):
                        await _replace(mesh, names, before)
                        await goes_on()
                await _check_talk(talk, (one, other))
                await _check(load, talk, (one, other))


def _new_stages(before: str) -> dict[str, tuple[str, ...]]:
    """The commands of the stages that the release before has not: they are always this one's."""
    root = Path(before.split(os.pathsep)[0])
    ours = ("/usr/bin/env", f"PYTHONPATH={python_path(ROOT)}", sys.executable, "-P", "-m")
    new = [stage for stage in STAGES if not (root / "services" / stage).exists()]
    return {stage: (*ours, f"maie_{stage}") for stage in new}


async def _replace(mesh: LocalMesh, names: Sequence[str], release: str) -> None:
    """Stops parts in order and starts those of a release in their places."""
    await asyncio.gather(*(mesh.stop_part(name) for name in names))
    for name in names:
        part = mesh.children[name].part
        part = replace(part, environment={**part.environment, "PYTHONPATH": release})
        mesh.children[name] = Child(part, mesh.layout, lambda _: None)
    await asyncio.gather(*(mesh.start_part(name) for name in names))


async def _check(load: Load, talk: Talk, clients: Sequence[Client]) -> None:
    """Asserts that each accepted job is there once, and complete with the same result."""
    assert [each.state for each in load.done] == [job.JOB_STATE_COMPLETE] * len(load.accepted)
    texts = {each.results.raw_transcript for each in load.done}
    assert len(texts) == 1
    assert texts != {""}
    for client in clients:
        for job_id in load.accepted:
            assert (await client.get_job(job_id)).state == job.JOB_STATE_COMPLETE
        assert not [letter async for letter in client.list_dead_letters()]
    listed = [each.job_id async for each in clients[0].list_jobs()]
    assert sorted(listed) == sorted([*load.accepted, talk.session_id])


async def _check_talk(talk: Talk, clients: Sequence[Client]) -> None:
    """Asserts that each word of a session is there once: for its client and in its job."""
    assert talk.heard == talk.said
    assert talk.final_count == len(talk.finals)
    assert talk.go_aways > 0
    for client in clients:
        done = [event async for event in client.watch_job(talk.session_id)][-1].finished.job
        assert done.state == job.JOB_STATE_COMPLETE
        segments = [(each.segment_id, each.text) for each in done.results.segments]
        assert segments == [(each.segment.segment_id, each.segment.text) for each in talk.finals]
