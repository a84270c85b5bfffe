"""`maie nats config` writes what nats-server reads, and keeps the seeds that are there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maie_runtime.bus.broker import open_broker
from maie_runtime.bus.credentials import Credentials
from maie_runtime.bus.rights import parts
from tests.cli.command import Ended, run
from tests.conftest import NATS_SERVER, free_port
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.mesh


async def config(folder: Path, *arguments: str) -> Ended:
    return await asyncio.to_thread(
        run, "nats", "config", str(folder), *arguments, environment={"COLUMNS": "400"}
    )


async def is_valid(folder: Path) -> bool:
    process = await asyncio.create_subprocess_exec(
        *(NATS_SERVER, "-t", "--config", str(folder / "nats-server.conf")),
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait() == 0


def seeds(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text() for path in (folder / "nkeys").glob("*")}


async def test_the_configuration_is_valid_and_the_seeds_are_for_their_owner(tmp_path: Path) -> None:
    ended = await config(tmp_path, "--gpu", "node-1/0:asr,summary", "--operator", "--monitor")
    assert (ended.code, ended.errors) == (0, "")
    assert await is_valid(tmp_path)
    assert seeds(tmp_path).keys() == {*parts(), "operator", "monitor"}
    assert (tmp_path / "nkeys").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "nkeys").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert f"MAIE_NATS_NKEY_FILE={path}" in ended.output
    text = (tmp_path / "accounts.conf").read_text() + (tmp_path / "nats-server.conf").read_text()
    assert not any(seed.strip() in text + ended.output for seed in seeds(tmp_path).values())
    # The server's monitoring has no password.
    assert "\nhttp" not in text


async def test_a_second_run_keeps_the_seeds_and_replaces_the_named_one(tmp_path: Path) -> None:
    assert (await config(tmp_path, "--operator")).code == 0
    first, text = seeds(tmp_path), (tmp_path / "accounts.conf").read_text()
    assert (await config(tmp_path)).code == 0
    # The operator's credential stays, too, although it was not asked for again.
    assert (seeds(tmp_path), (tmp_path / "accounts.conf").read_text()) == (first, text)
    assert (await config(tmp_path, "--rotate", "asr")).code == 0
    second = seeds(tmp_path)
    assert {part for part in first if first[part] != second[part]} == {"asr"}
    assert (tmp_path / "accounts.conf").read_text() != text
    assert await is_valid(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rotate", "ears"), "no part 'ears'"),
        (("--gpu", "node-1/0"), "--gpu NAME:STAGE"),
        (("--gpu", "node-1/0:ears"), "--gpu NAME:STAGE"),
        (("--gpu", "a b:asr"), "--gpu NAME:STAGE"),
        (("--tls-cert", "cert.pem"), "--tls-key"),
        (("--cluster", "mesh"), "--tls-ca"),
        (("--route", "nats://other:6222"), "--cluster"),
    ],
)
async def test_wrong_options_say_what_is_right(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ended = await config(tmp_path / "new", *arguments)
    assert ended.code == 2
    assert said in ended.errors
    assert not (tmp_path / "new" / "accounts.conf").exists()


async def test_other_machines_reach_it_over_tls_only(tmp_path: Path) -> None:
    folder = tmp_path / "nats"
    ended = await config(folder, "--listen", "0.0.0.0:4222")
    assert (ended.code, ended.errors.count("\n")) == (1, 1)
    assert "maie certs create" in ended.errors
    assert not folder.exists()


async def test_parts_connect_with_their_seeds_and_the_certificates_of_maie_certs(
    tmp_path: Path,
) -> None:
    certs, folder, port = tmp_path / "certs", tmp_path / "nats", free_port()
    made = await asyncio.to_thread(run, "certs", "create", "--folder", certs, environment={})
    assert made.code == 0
    own = certs / "nats"
    ended = await config(
        folder,
        *("--listen", f"0.0.0.0:{port}", "--store", str(tmp_path / "store")),
        *("--tls-cert", str(own / "tls.crt"), "--tls-key", str(own / "tls.key")),
    )
    assert (ended.code, ended.errors) == (0, "")
    server = await asyncio.create_subprocess_exec(
        *(NATS_SERVER, "--config", str(folder / "nats-server.conf")),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        credentials = Credentials(nkey=folder / "nkeys" / "asr.nk", ca=certs / "ca.crt")
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            open_broker(f"tls://localhost:{port}", "asr", credentials=credentials) as broker,
        ):
            assert broker.connected
    finally:
        server.terminate()
        await server.wait()
