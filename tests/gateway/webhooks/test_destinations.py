"""Deliveries go to the address that was checked, and never inside unasked."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web

from tests.gateway.webhooks.mail import UNTIL_GIVEN_UP, Mail
from tests.gateway.webhooks.receiver import Receiver, finished

pytestmark = pytest.mark.mesh


async def test_a_redirect_to_the_inside_is_not_followed(mail: Mail, receiver: Receiver) -> None:
    async with Receiver().running() as inside:

        async def answer(_: int) -> web.StreamResponse:
            return web.Response(status=307, headers={"location": inside.url})

        receiver.answer = answer
        async with mail.sender(**UNTIL_GIVEN_UP):
            await mail.finish(finished("job-1", receiver.url))
            await mail.empty()
        assert inside.received == []
    (letter,) = await mail.letters()
    assert letter.failure.reason == "RECEIVER_STATUS"
    assert "307" in letter.failure.message


async def test_private_addresses_are_refused_where_no_setting_allows_them(
    mail: Mail, receiver: Receiver
) -> None:
    async with mail.sender(allowed_networks=()):
        await mail.finish(finished("job-1", receiver.url))
        await mail.finish(finished("job-2", f"http://localhost:{receiver.port}/"))
        await mail.finish(finished("job-3", f"http://[::ffff:127.0.0.1]:{receiver.port}/"))
        await mail.finish(finished("job-4", "http://169.254.169.254/latest/meta-data"))
        await mail.empty()
    assert receiver.received == []
    assert [letter.failure.reason for letter in await mail.letters()] == ["URI_NOT_ALLOWED"] * 4


async def test_a_name_that_leads_inside_later_is_refused(mail: Mail, receiver: Receiver) -> None:
    given = ["93.184.216.34", "127.0.0.1"]

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return [given.pop(0) if len(given) > 1 else given[0]]

    assert await rebinding("at the submit", 80) == ["93.184.216.34"]
    async with mail.sender(rebinding, allowed_networks=()):
        await mail.finish(finished("job-1", f"http://rebind.test:{receiver.port}/"))
        await mail.empty()
    assert receiver.received == []
    assert [letter.failure.reason for letter in await mail.letters()] == ["URI_NOT_ALLOWED"]


async def test_the_connection_goes_to_the_address_that_was_checked(
    mail: Mail, receiver: Receiver
) -> None:
    asked = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    # The system knows no name of this domain (RFC 6761), so nobody else can have resolved it.
    async with mail.sender(resolve):
        await mail.finish(finished("job-1", f"http://pinned.invalid:{receiver.port}/x?y=z"))
        await receiver.wait_for(1)
    assert asked == ["pinned.invalid"]
    assert receiver.received[0].headers["host"] == f"pinned.invalid:{receiver.port}"
    assert receiver.received[0].path == "/x?y=z"


async def test_tls_asks_for_the_name_and_trusts_no_strangers_certificate(
    mail: Mail, tmp_path: Path
) -> None:
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl was not found")
    made = await asyncio.create_subprocess_exec(
        *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=pinned.invalid"),
        *("-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    names: list[str] = []
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    tls.sni_callback = lambda _, name, __: names.append(name)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with Receiver(tls=tls).running() as receiver, mail.sender(resolve, **UNTIL_GIVEN_UP):
        await mail.finish(finished("job-1", f"https://pinned.invalid:{receiver.port}/"))
        await mail.empty()
        assert receiver.received == []
    assert set(names) == {"pinned.invalid"}
    assert [letter.failure.reason for letter in await mail.letters()] == ["RECEIVER_UNREACHABLE"]
