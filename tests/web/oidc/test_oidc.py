"""People log in at a provider; what it gives is checked in every way."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from maie_client import Client
from maie_gateway.access.settings import AccessSettings
from maie_gateway.access.token_settings import TokenSettings
from maie_runtime.vault.key_file import new_line
from maie_web.oidc.logins import is_own_path
from maie_web.sessions.seal import Seal
from maie_web.sessions.session import Session
from maie_web.settings import WebSettings
from tests.conftest import free_port
from tests.gateway.access.issuer import AUDIENCE, Issuer
from tests.gateway.conftest import EmptyMesh
from tests.web.conftest import web_before
from tests.web.oidc.provider import CLIENT, SECRET, OidcProvider, a_provider

pytestmark = pytest.mark.mesh


@dataclass(kw_only=True)
class People:
    """A web part where people log in.

    Attributes:
        provider: The provider.
        browser: A browser at the web part.
        seal: What seals its logins.
    """

    provider: OidcProvider
    browser: httpx.AsyncClient
    seal: Seal

    async def begin(self, return_to: str = "/") -> str:
        """Goes to the provider; gives where it leads back to."""
        there = await self.browser.get("/v1/session/oidc", params={"return_to": return_to})
        assert there.status_code == 302, there.text
        async with httpx.AsyncClient(trust_env=False) as http:
            back = await http.get(there.headers["location"])
        assert back.status_code == 302
        return back.headers["location"]

    def age(self) -> str:
        """Makes it time for the next token; gives the login's cookie."""
        session = self.seal.open(self.browser.cookies["maie-session"], Session)
        assert session is not None
        assert session.renew_at > time.time()
        cookie = self.seal.close(replace(session, renew_at=1.0))
        host = str(self.browser.base_url.host)
        self.browser.cookies.set("maie-session", cookie, domain=host, path="/")
        return cookie

    async def log_in(self, return_to: str = "/") -> httpx.Response:
        """Logs in, up to the answer to the provider's redirect."""
        headers = {"sec-fetch-site": "cross-site"}
        return await self.browser.get(await self.begin(return_to), headers=headers)


@pytest.fixture
async def people(empty_mesh: EmptyMesh, tmp_path: Path) -> AsyncIterator[People]:
    """A web part where people log in, before a gateway that takes the provider's tokens."""
    async with a_provider() as provider:
        file = tmp_path / "jwks"
        file.write_text(json.dumps(provider.issuer.jwks()))
        tokens = TokenSettings(
            issuer=provider.url, audience=AUDIENCE, jwks_file=file, leeway_seconds=0
        )
        access = AccessSettings(local_user=False, tokens=tokens)
        empty_mesh.gateway_options["access"] = access
        port, line = free_port(), new_line()
        async with (
            empty_mesh.gateway() as address,
            Client(address) as client,
            web_before(
                client,
                listen=f"127.0.0.1:{port}",
                local_user=False,
                oidc_issuer=provider.url,
                oidc_client_id=CLIENT,
                oidc_client_secret=SECRET,
                session_key=line,
                public_url=f"http://127.0.0.1:{port}",
            ) as web,
        ):
            yield People(provider=provider, browser=web.http, seal=Seal(line))


async def test_a_person_logs_in_and_out(people: People) -> None:
    assert (await people.browser.get("/v1/session/ways")).json() == {"key": True, "oidc": True}
    assert (await people.browser.get("/v1/session")).status_code == 401
    done = await people.log_in("/jobs?state=COMPLETE")
    assert (done.status_code, done.headers["location"]) == (302, "/jobs?state=COMPLETE")
    assert "maie-login" not in people.browser.cookies
    said = (await people.browser.get("/v1/session")).json()
    assert said["logged_in"]
    assert (said["caller"]["caller_id"], said["caller"]["tenant"]) == ("jwt:ada", "acme")
    assert (await people.browser.get("/v1/jobs")).status_code == 200
    assert (await people.browser.delete("/v1/session")).status_code == 204
    assert len(people.provider.revoked) == 1
    assert (await people.browser.get("/v1/session")).status_code == 401


def changed(url: str, **values: str) -> str:
    """An address with other parameters."""
    query = {name: each[0] for name, each in parse_qs(urlsplit(url).query).items()}
    return str(httpx.URL(url, params={**query, **values}))


async def refused(people: People, url: str) -> str:
    """How a way back is refused; nobody is logged in by it."""
    got = await people.browser.get(url)
    assert (got.status_code, got.json()["reason"]) == (401, "LOGIN_FAILED"), got.text
    assert "maie-session" not in people.browser.cookies
    detail: str = got.json()["detail"]
    return detail


async def test_only_the_browser_that_began_a_login_ends_it(people: People) -> None:
    url = await people.begin()
    assert "did not begin" in await refused(people, changed(url, state="other"))
    assert "no code" in await refused(people, changed(url, code=""))
    assert "invalid_grant" in await refused(people, changed(url, code="other"))
    await refused(people, changed(url, error="access_denied"))
    people.browser.cookies.clear()
    assert "did not begin" in await refused(people, url)


async def test_a_code_that_came_from_another_login_is_refused(people: People) -> None:
    stolen = parse_qs(urlsplit(await people.begin()).query)["code"][0]
    mine = await people.begin()
    assert "invalid_grant" in await refused(people, changed(mine, code=stolen))


async def test_a_way_back_counts_once(people: People) -> None:
    url = await people.begin()
    assert (await people.browser.get(url)).status_code == 302
    people.browser.cookies.delete("maie-session")
    await refused(people, url)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"aud": "other"},
        {"aud": [CLIENT, "other"]},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"azp": "other"},
        {"iss": "https://other.example"},
        {"exp": time.time() - 3600},
        {"iat": time.time() + 3600},
    ],
)
async def test_an_id_token_that_is_not_right_logs_nobody_in(
    people: People, claims: dict[str, Any]
) -> None:
    people.provider.id_claims = claims
    await refused(people, await people.begin())


async def test_an_id_token_of_a_key_that_is_not_the_providers_is_refused(people: People) -> None:
    url = await people.begin()
    stranger = Issuer()
    stranger.add("one")
    published = people.provider.issuer.jwks
    own = people.provider.issuer.jwks()
    people.provider.issuer.private = stranger.private
    people.provider.issuer.jwks = lambda: own  # type: ignore[method-assign]
    await refused(people, url)
    people.provider.issuer.jwks = published  # type: ignore[method-assign]


async def test_a_token_that_the_gateway_does_not_take_logs_nobody_in(people: People) -> None:
    people.provider.seconds = -10
    got = await people.browser.get(await people.begin())
    assert (got.status_code, got.json()["reason"]) == (401, "CREDENTIALS_INVALID")
    assert "maie-session" not in people.browser.cookies


async def test_a_token_is_renewed_once_before_it_expires(people: People) -> None:
    assert (await people.log_in()).status_code == 302
    before = people.age()
    answers = await asyncio.gather(*(people.browser.get("/v1/jobs") for _ in range(10)))
    assert {each.status_code for each in answers} == {200}
    assert people.provider.granted == ["authorization_code", "refresh_token"]
    assert people.browser.cookies["maie-session"] != before
    assert (await people.browser.get("/v1/jobs")).status_code == 200
    assert people.provider.granted == ["authorization_code", "refresh_token"]


async def test_a_login_whose_renewal_is_refused_is_over(people: People) -> None:
    await people.log_in()
    people.age()
    people.provider.refuses = True
    got = await people.browser.get("/v1/jobs")
    assert (got.status_code, got.json()["reason"]) == (401, "LOGIN_FAILED")
    assert (await people.browser.delete("/v1/session")).status_code == 204


@pytest.mark.parametrize(
    "documents",
    [
        {"issuer": "https://other.example"},
        {"authorization_endpoint": "http://other.example/authorize"},
        {"authorization_endpoint": 5},
    ],
)
async def test_a_provider_that_describes_itself_wrongly_is_not_used(
    people: People, documents: dict[str, Any]
) -> None:
    people.provider.documents = documents
    got = await people.browser.get("/v1/session/oidc")
    assert (got.status_code, got.json()["reason"]) == (503, "LOGIN_UNAVAILABLE")


async def test_without_a_provider_there_is_no_such_login(empty_mesh: EmptyMesh) -> None:
    async with (
        empty_mesh.gateway() as address,
        Client(address) as client,
        web_before(client) as web,
    ):
        assert (await web.http.get("/v1/session/ways")).json() == {"key": True, "oidc": False}
        for path in ("/v1/session/oidc", "/v1/session/oidc/callback"):
            assert (await web.http.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "is_own"),
    [
        ("/", True),
        ("/jobs?a=b#c", True),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("https://evil.example", False),
        ("/\t/evil.example", False),
        ("", False),
    ],
)
def test_a_login_leads_to_no_other_site(path: str, is_own: bool) -> None:
    assert is_own_path(path) == is_own


@pytest.mark.parametrize(
    "options",
    [
        {"oidc_issuer": "https://a"},
        {"oidc_issuer": "https://a", "oidc_client_id": "b"},
        {"oidc_issuer": "http://a", "oidc_client_id": "b", "public_url": "https://c"},
        {"oidc_issuer": "https://a", "oidc_client_id": "b", "public_url": "http://c"},
        {
            "oidc_issuer": "https://a",
            "oidc_client_id": "b",
            "public_url": "https://c",
            "oidc_scopes": "profile",
        },
    ],
)
def test_settings_that_lack_something_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebSettings(**options)
