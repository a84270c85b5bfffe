"""A master key in a service with AWS KMS's API: jobs, rotation, and each way in which it fails."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maie_client import Client
from maie_core.errors import Code, StageError
from maie_gateway.vault import aws_kms
from maie_gateway.vault.master_key import FileKey, open_master_key
from maie_runtime.vault.key_file import new_line
from tests.gateway.conftest import EmptyMesh
from tests.gateway.test_residue import FEATURES, NAMES, options
from tests.gateway.vault.conftest import recording, written
from tests.gateway.vault.kms import CREDENTIALS, REGION, Kms, kms_server

pytestmark = pytest.mark.mesh

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def kms() -> Iterator[Kms]:
    """A server for all tests of this module."""
    with kms_server() as server:
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Credentials, and nothing of this machine's."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


async def refused(setting: str) -> StageError:
    """Why a setting is refused."""
    with pytest.raises(StageError) as raised:
        async with open_master_key(setting) as key:
            await key.wrap(SECRET)
    return raised.value


async def test_what_it_wraps_it_unwraps_and_does_not_show(kms: Kms) -> None:
    async with open_master_key(kms.setting(kms.new_key())) as key:
        wrapped = await key.wrap(SECRET)
        assert SECRET not in wrapped
        assert await key.unwrap(wrapped) == SECRET
        assert key.is_current(wrapped)


async def test_an_alias_and_an_arn_name_the_same_key(kms: Kms) -> None:
    name = kms.new_key()
    kms.client().create_alias(AliasName="alias/maie", TargetKeyId=name)
    arn = kms.client().describe_key(KeyId=name)["KeyMetadata"]["Arn"]
    async with open_master_key(kms.setting("alias/maie")) as key:
        wrapped = await key.wrap(SECRET)
    # The ARN names the region.
    async with open_master_key(f"awskms:///{arn}?endpoint={kms.endpoint}") as key:
        assert key.is_current(wrapped)
        assert await key.unwrap(wrapped) == SECRET


async def test_a_mesh_needs_it_at_its_start_only(mesh: EmptyMesh) -> None:
    with kms_server() as server:
        mesh.gateway_options["master_key"] = server.setting(server.new_key())
        async with mesh.running() as client:
            server.stop()
            made = await client.create_job(recording(), **options())
            assert [each async for each in client.watch_job(made.job_id)]
            assert (await client.get_job(made.job_id)).display_name == NAMES[2]
        with pytest.raises(StageError) as raised:
            async with mesh.gateway():
                pass
    assert (raised.value.reason, raised.value.code) == ("MASTER_KEY_UNAVAILABLE", Code.UNAVAILABLE)
    assert raised.value.retryable
    assert "does not answer" in raised.value.message


async def test_another_key_takes_over_and_the_first_may_go(mesh: EmptyMesh, kms: Kms) -> None:
    first, second = kms.new_key(), kms.new_key()
    made = []
    for name in (first, second, second):
        mesh.gateway_options["master_key"] = kms.setting(name)
        async with mesh.gateway() as address, Client(address) as client:
            made.append(await client.create_job(recording(), features=FEATURES))
            for each in made:
                assert (await client.get_job(each.job_id)).job_id == each.job_id
        if name == second:
            kms.client().disable_key(KeyId=first)


async def test_a_service_without_the_key_is_refused_and_so_is_a_file(
    mesh: EmptyMesh, kms: Kms
) -> None:
    file_key = mesh.gateway_options["master_key"]
    mesh.gateway_options["master_key"] = kms.setting(kms.new_key())
    async with mesh.gateway():
        pass
    with kms_server() as other:
        for setting in (other.setting(other.new_key()), file_key):
            mesh.gateway_options["master_key"] = setting
            with pytest.raises(StageError) as raised:
                async with mesh.gateway():
                    pass
            assert raised.value.reason == "MASTER_KEY_INVALID"


async def test_it_takes_over_from_a_file_and_gives_back(
    mesh: EmptyMesh, kms: Kms, tmp_path: Path
) -> None:
    file_key, in_kms = mesh.gateway_options["master_key"], kms.setting(kms.new_key())
    last, made = written(tmp_path / "last.key", new_line()), []
    for now, before in (
        (file_key, ""),
        (in_kms, file_key),
        (in_kms, file_key),
        (in_kms, ""),
        (last, in_kms),
        (last, ""),
    ):
        mesh.gateway_options |= {"master_key": now, "earlier_master_key": before}
        async with mesh.gateway() as address, Client(address) as client:
            made.append((await client.create_job(recording(), **options(before))).job_id)
            for job_id in made:
                assert (await client.get_job(job_id)).labels["case"].endswith(NAMES[1])
    # Neither of those before opens it by itself.
    for before in (in_kms, file_key):
        mesh.gateway_options |= {"master_key": before, "earlier_master_key": ""}
        with pytest.raises(StageError) as raised:
            async with mesh.gateway():
                pass
        assert raised.value.reason == "MASTER_KEY_INVALID"


async def test_changed_data_and_that_of_a_file_are_refused(kms: Kms) -> None:
    async with open_master_key(kms.setting(kms.new_key())) as key:
        wrapped = await key.wrap(SECRET)
        changed = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
        for nonsense in (changed, wrapped[:9], await FileKey(new_line()).wrap(SECRET)):
            with pytest.raises(StageError) as raised:
                await key.unwrap(nonsense)
            assert raised.value.reason == "MASTER_KEY_INVALID"


async def test_a_key_that_is_disabled_or_to_be_deleted_is_refused(kms: Kms) -> None:
    disabled, deleted = kms.new_key(), kms.new_key()
    kms.client().disable_key(KeyId=disabled)
    kms.client().schedule_key_deletion(KeyId=deleted)
    for name, state in ((disabled, "Disabled"), (deleted, "PendingDeletion")):
        error = await refused(kms.setting(name))
        assert (error.reason, error.retryable) == ("MASTER_KEY_DISABLED", False)
        assert state in error.message


async def test_credentials_that_are_refused_or_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    # After one action, this server asks for credentials that it knows, and it knows none.
    with kms_server({"INITIAL_NO_AUTH_ACTION_COUNT": "1"}) as strict:
        setting = strict.setting(strict.new_key())
        error = await refused(setting)
        assert (error.reason, error.retryable) == ("MASTER_KEY_DENIED", False)
        assert "kms:Decrypt" in error.message
        for name in CREDENTIALS:
            monkeypatch.delenv(name)
        assert (await refused(setting)).reason == "MASTER_KEY_DENIED"


async def test_settings_that_name_no_key_are_refused(kms: Kms) -> None:
    signs = kms.new_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")
    for setting, why in (
        (kms.setting("alias/none"), "alias/none"),
        (kms.setting("01900000-0000-7000-8000-000000000000"), "does not exist"),
        (kms.setting(signs), "symmetric"),
        ("awskms:///alias/maie", "region"),
        (f"awskms:///?region={REGION}", "names no key"),
        (f"awskms:///alias/maie?region={REGION}&colour=red", "colour"),
        (f"awskms:///alias/maie?region={REGION}&endpoint=nonsense", "an endpoint is a URL"),
    ):
        error = await refused(setting)
        assert (error.reason, why in error.message) == ("MASTER_KEY_INVALID", True), setting


async def test_a_service_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_kms, "READ_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        error = await refused(
            f"awskms:///alias/maie?region={REGION}&endpoint=http://127.0.0.1:{port}"
        )
    assert (error.reason, error.retryable) == ("MASTER_KEY_UNAVAILABLE", True)


async def test_without_boto3_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    error = await refused("awskms:///alias/maie")
    assert error.reason == "MASTER_KEY_INVALID"
    assert "maie-gateway[aws-kms]" in error.message
