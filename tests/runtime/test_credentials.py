"""A part with the wrong credentials reports so at once, and one without a right which it lacks."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from maie.event.v1 import event_pb2 as event
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_core.settings import MeshSettings, ServiceSettings
from maie_pipeline.bindings import BINDINGS
from maie_runtime.bus import subjects
from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.credentials import Credentials, credentials_of
from maie_runtime.bus.direct_get import stored_messages
from maie_runtime.bus.provision import open_provisioned_broker
from maie_runtime.bus.pull import pull_groups
from maie_runtime.bus.refusals import RefusedError
from maie_runtime.bus.rights import GATEWAY, OPERATOR, PROVISION, parts
from maie_runtime.bus.seeds import make_seed, public_key
from maie_runtime.bus.server_config import accounts_text
from maie_runtime.bus.session_log import SessionLog
from maie_runtime.worker.server import serve_stage
from tests.empty_stages import empty_stages
from tests.guarded_nats import GuardedNats

pytestmark = pytest.mark.mesh


@pytest.fixture
async def guarded(tmp_path: Path) -> Any:
    """A guarded broker with the streams of a mesh."""
    server = GuardedNats(tmp_path)
    await server.start()
    async with server.provisioned():
        pass
    yield server
    await server.stop()


async def fails_to_connect(server: GuardedNats, seed: Path | None) -> StageError:
    with capture_logs() as logs, pytest.raises(StageError) as failure:
        async with open_broker(server.url, "test", credentials=Credentials(nkey=seed)):
            pytest.fail("it was let in")
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["broker.not_let_in"]
    return failure.value


async def test_nobody_is_let_in_without_a_credential_or_with_a_foreign_one(
    guarded: GuardedNats, tmp_path: Path
) -> None:
    make_seed(tmp_path / "stranger", "asr")
    for seed in (None, tmp_path / "stranger" / "asr.nk"):
        error = await fails_to_connect(guarded, seed)
        assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, Reason.BROKER_REFUSED)
        assert "maie nats config" in error.message


async def test_a_service_with_no_credential_ends_and_does_not_wait(
    guarded: GuardedNats, tmp_path: Path
) -> None:
    mesh = MeshSettings(nats_url=guarded.url, blob_url=tmp_path.as_uri())
    with pytest.raises(StageError) as failure:
        async with serve_stage(
            BINDINGS["asr"], ServiceSettings(mesh=mesh), empty_stages()["asr"].opened
        ):
            pytest.fail("it served")
    assert failure.value.reason == Reason.BROKER_REFUSED


async def test_a_service_with_the_credential_of_another_stage_ends(
    guarded: GuardedNats, tmp_path: Path
) -> None:
    mesh = MeshSettings(
        nats_url=guarded.url, nats_nkey_file=guarded.seed("summary"), blob_url=tmp_path.as_uri()
    )
    with pytest.raises(StageError) as failure:
        async with serve_stage(
            BINDINGS["asr"], ServiceSettings(mesh=mesh), empty_stages()["asr"].opened
        ):
            pytest.fail("it served")
    assert failure.value.reason == Reason.BROKER_REFUSED
    assert "maie.task.asr" in failure.value.message


async def test_a_part_whose_credential_is_withdrawn_ends_with_an_error(
    guarded: GuardedNats, tmp_path: Path
) -> None:
    keys = {each: public_key(guarded.seed(each)) for each in (*parts(), OPERATOR)}
    with pytest.raises(StageError) as failure:
        async with guarded.connected("asr"):
            assert guarded.config is not None
            assert guarded.process is not None
            guarded.config.write_text(accounts_text({**keys, "asr": make_seed(tmp_path, "new")}))
            guarded.process.send_signal(signal.SIGHUP)
            await asyncio.Future()
    assert failure.value.reason == Reason.BROKER_REFUSED


async def test_a_refused_publish_is_no_time_out(guarded: GuardedNats) -> None:
    async with guarded.connected("asr") as broker:
        foreign = subjects.event("summary", "some-job")
        with capture_logs() as logs, pytest.raises(StageError) as failure:
            await broker.publish(foreign, event.StageEvent(), message_id="1")
        assert failure.value.reason == Reason.BROKER_REFUSED
        assert foreign in failure.value.message
        said = [(line["event"], line.get("subject")) for line in logs]
        assert ("broker.refused", foreign) in said
        # The connection is as good as before.
        own = subjects.event("asr", "some-job")
        assert await broker.publish(own, event.StageEvent(), message_id="1") > 0


async def test_what_waits_for_many_answers_is_refused_at_once(guarded: GuardedNats) -> None:
    async with guarded.connected("asr") as broker:
        jobs = subjects.bucket_stream(subjects.JOBS)
        with pytest.raises(RefusedError):
            await stored_messages(broker.client, jobs, "$KV.maie_jobs.*", 10)
        with pytest.raises(RefusedError):
            await anext(pull_groups(broker.client, subjects.EVENTS, subjects.CONDUCTOR, size=1))
        with pytest.raises(StageError) as failure:
            await SessionLog(broker).last("some-session")
        assert failure.value.reason == Reason.BROKER_REFUSED


async def test_refused_requests_do_not_end_others_that_wait(guarded: GuardedNats) -> None:
    async with guarded.connected("asr") as broker:
        own, foreign = (subjects.event(stage, "some-job") for stage in ("asr", "summary"))
        answers = await asyncio.gather(
            *(broker.jetstream.publish(subject, b"x") for subject in (own, foreign) * 20),
            return_exceptions=True,
        )
    assert [isinstance(each, RefusedError) for each in answers] == [False, True] * 20


async def test_provisioning_without_the_right_to_ends_with_the_reason(guarded: GuardedNats) -> None:
    with pytest.raises(StageError) as failure:
        async with open_provisioned_broker(
            guarded.url,
            "asr",
            inbox=subjects.inbox("asr"),
            credentials=Credentials(nkey=guarded.seed("asr")),
        ):
            pytest.fail("it provisioned")
    assert failure.value.reason == Reason.BROKER_REFUSED
    assert "$JS.API.STREAM" in failure.value.message


@pytest.mark.parametrize("content", [b"", b"SUAX", b"\xff\xfe", b"password"])
def test_a_file_without_a_seed_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "asr.nk"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StageError) as failure:
        Credentials(nkey=path).options()
    assert failure.value.reason == Reason.BROKER_CREDENTIALS_INVALID
    assert str(path) in failure.value.message
    if content:
        assert repr(content)[2:-1] not in failure.value.message


def test_a_seed_that_every_user_may_read_is_not_used(tmp_path: Path) -> None:
    make_seed(tmp_path, "asr")
    path = tmp_path / "asr.nk"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(StageError, match="chmod 600"):
        Credentials(nkey=path).options()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for settings in (
        MeshSettings(nats_nkey_file=tmp_path / "none"),
        MeshSettings(nats_ca_file=tmp_path / "none"),
    ):
        with pytest.raises(StageError, match="none") as failure:
            credentials_of(settings).options()
        assert failure.value.reason == Reason.BROKER_CREDENTIALS_INVALID


async def test_gateways_and_the_provisioner_need_no_other_rights_twice(
    guarded: GuardedNats,
) -> None:
    """A second provisioning, by either, changes nothing and is refused nothing."""
    for part in (GATEWAY, PROVISION):
        async with open_provisioned_broker(
            guarded.url,
            part,
            inbox=subjects.inbox(part),
            credentials=Credentials(nkey=guarded.seed(part)),
        ):
            pass
    assert guarded.violations() == []
