"""JSON Web Tokens: what is taken, and everything that is not."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from maie_core.caller import CallerKind, Scope
from maie_core.errors import Code, StageError
from maie_gateway.access import signing_keys
from maie_gateway.access.settings import AccessSettings
from maie_gateway.access.signing_keys import SigningKeys, from_file, from_url, parse_keys
from maie_gateway.access.token_callers import MAX_TOKEN_CHARACTERS, TokenCallers
from maie_gateway.access.token_settings import TokenSettings
from maie_runtime.rpc.callers.authenticator import Call
from tests.gateway.access.conftest import Guarded
from tests.gateway.access.issuer import AUDIENCE, ISSUER, Issuer
from tests.gateway.access.test_keys import INVALID, lists, refusal


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    """An issuer with a key of each kind."""
    made = Issuer()
    made.add("one")
    made.add("curve", "EC")
    made.add("edwards", "OKP")
    made.add("short", "RSA", 1024)
    return made


def settings(**options: Any) -> TokenSettings:
    return TokenSettings(
        issuer=ISSUER, audience=AUDIENCE, jwks_url="https://issuer.example/keys", **options
    )


def callers(issuer: Issuer, **options: Any) -> TokenCallers:
    return TokenCallers(settings(**options), SigningKeys(issuer.fetch, 3600, 30))


def call(token: str) -> Call:
    metadata = {"authorization": [f"Bearer {token}"]}
    return Call(peer="", server="", metadata=metadata, transport={})


async def refused(callers: TokenCallers, token: str) -> StageError:
    with pytest.raises(StageError) as error:
        await callers.caller_of(call(token))
    return error.value


@pytest.mark.unit
async def test_a_right_token_says_who_calls(issuer: Issuer) -> None:
    known = callers(issuer, algorithms=("RS256", "ES256", "EdDSA"))
    for key_id, algorithm in (("one", "RS256"), ("curve", "ES256"), ("edwards", "EdDSA")):
        caller = await known.caller_of(call(issuer.token(key_id, algorithm)))
        assert caller
        assert (caller.kind, caller.id, caller.tenant) == (CallerKind.JWT, "jwt:ada", "acme")
        assert caller.scopes == {Scope.READ, Scope.SUBMIT}
    assert await known.caller_of(call("maie_0123456789ab_secret")) is None


@pytest.mark.unit
async def test_claims_are_mapped_as_configured(issuer: Issuer) -> None:
    known = callers(
        issuer,
        tenant_claim="org.slug",
        scopes_claim="realm.roles",
        scopes={"transcribers": "submit", "operators": "admin"},
    )
    caller = await known.caller_of(
        call(
            issuer.token(
                org={"slug": "blue"}, realm={"roles": ["operators", "others", 7, "maie:read"]}
            )
        )
    )
    assert caller
    assert caller.tenant == "blue"
    assert caller.scopes == {Scope.ADMIN}
    with_dots = callers(issuer, tenant_claim="https://maie.example/tenant")
    named: dict[str, Any] = {"https://maie.example/tenant": "b"}
    caller = await with_dots.caller_of(call(issuer.token(**named)))
    assert caller
    assert caller.tenant == "b"


@pytest.mark.unit
async def test_a_token_that_was_checked_ends_with_itself_and_with_its_key(issuer: Issuer) -> None:
    own = Issuer(private=dict(issuer.private))
    keys = SigningKeys(own.fetch, 3600, 0.01)
    known = TokenCallers(settings(leeway_seconds=0), keys)
    short, withdrawn = own.token(exp=_now(2)), own.token("curve", "ES256")
    for token in (short, withdrawn, withdrawn):
        assert await known.caller_of(call(token))
    del own.private["curve"]
    await asyncio.sleep(0.01)
    await refused(known, own.token(headers={"kid": "another"}))  # reads the keys again
    assert "does not have" in (await refused(known, withdrawn)).message
    while await _taken(known, short):
        await asyncio.sleep(0.05)
    assert "has expired" in (await refused(known, short)).message


async def _taken(callers: TokenCallers, token: str) -> bool:
    try:
        return await callers.caller_of(call(token)) is not None
    except StageError:
        return False


def _now(seconds: float) -> int:
    return int(time.time() + seconds)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"exp": _now(-3600)}, "has expired"),
    "no end": ({"without": ("exp",)}, "damaged"),
    "no issuer": ({"without": ("iss",)}, "damaged"),
    "no audience": ({"without": ("aud",)}, "damaged"),
    "no subject": ({"without": ("sub",)}, "damaged"),
    "an end that is no time": ({"exp": "soon"}, "damaged"),
    "not yet valid": ({"nbf": _now(3600)}, "not valid yet"),
    "issued in the future": ({"iat": _now(3600)}, "not valid yet"),
    "another audience": ({"aud": "other"}, "another audience"),
    "other audiences": ({"aud": ["a", "b"]}, "another audience"),
    "another issuer": ({"iss": "https://evil.example"}, "another issuer"),
    "an issuer that begins alike": ({"iss": f"{ISSUER}.evil"}, "another issuer"),
    "no tenant": ({"without": ("tenant",)}, "names no tenant"),
    "a tenant that is none": ({"tenant": "../other"}, "names no tenant"),
    "a tenant in a list": ({"tenant": ["acme"]}, "names no tenant"),
    "an unknown key": ({"headers": {"kid": "other"}}, "does not have"),
    "another's key": ({"headers": {"kid": "curve"}}, "damaged"),
    "an algorithm that is not taken": ({"algorithm": "RS512"}, "damaged"),
    "a key that is too short": ({"key_id": "short"}, "damaged"),
    "a critical header": ({"headers": {"crit": ["exp"], "exp": 1}}, "damaged"),
}


@pytest.mark.unit
@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_wrong_token_is_refused(issuer: Issuer, kind: str) -> None:
    options, words = WRONG[kind]
    token = issuer.token(**options)
    error = await refused(callers(issuer), token)
    assert (error.code, error.reason) == (Code.UNAUTHENTICATED, "CREDENTIALS_INVALID")
    assert words in error.message
    assert token[-20:] not in error.message


def _part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def forged(header: dict[str, Any], issuer: Issuer, secret: bytes | None = None) -> str:
    """A token that its issuer never signed."""
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "eve", "exp": _now(600), "tenant": "acme"}
    signed = f"{_part(header)}.{_part(claims)}"
    if secret is None:
        return f"{signed}."
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.unit
async def test_forged_tokens_are_refused(issuer: Issuer) -> None:
    public, right = issuer.public_pem(), issuer.token()
    header, claims, signature = right.split(".")
    for token in (
        *(forged({"alg": alg, "kid": "one"}, issuer) for alg in ("none", "None", "NONE", "")),
        forged({"kid": "one"}, issuer),
        forged({"alg": "HS256", "kid": "one", "typ": "JWT"}, issuer, public),
        forged({"alg": "HS256", "kid": "one"}, issuer, b""),
        forged({"alg": "RS256", "kid": "one"}, issuer, public),
        forged({"alg": ["none"], "kid": "one"}, issuer, public),
        forged({"alg": "RS256", "kid": 7}, issuer, public),
        forged({"alg": "RS256", "kid": "x" * 1000}, issuer, public),
        forged({"alg": "RS256"}, issuer, public),
        f"{header}.{claims}.",
        f"{header}.{claims}.{signature[:-8]}AAAAAAAA",
        f"{header}.{_part({'sub': 'eve'})}.{signature}",
        f"{_part({'alg': 'RS256'})}.{claims}.{signature}",
        f"{_part([1])}.{claims}.{signature}",
        f"{_part('x')}.{claims}.{signature}",
        "..",
        "a.b.c",
        f"{header}.{'A' * MAX_TOKEN_CHARACTERS}.{signature}",
        f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.{claims}.{signature}",
    ):
        error = await refused(callers(issuer), token)
        assert error.code == Code.UNAUTHENTICATED


@pytest.mark.unit
@given(st.lists(st.text(st.characters(codec="ascii"), max_size=60), min_size=3, max_size=3))
async def test_garbage_is_refused(parts: list[str]) -> None:
    issuer = Issuer()
    if (token := ".".join(parts)).count(".") == 2:
        assert (await refused(callers(issuer), token)).code == Code.UNAUTHENTICATED


@pytest.mark.unit
def test_only_public_keys_of_signatures_are_taken(issuer: Issuer) -> None:
    described = issuer.jwks()["keys"]
    odd = [
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        {**described[0], "kid": "encrypts", "use": "enc"},
        {**described[0], "kid": 7},
        {"kty": "RSA", "kid": "empty"},
        {"kty": "EC", "kid": "odd", "crv": "P-1", "x": "", "y": ""},
        "text",
        None,
    ]
    assert set(parse_keys(json.dumps({"keys": [*odd, *described]}).encode())) == set(issuer.private)
    for broken in (b"", b"{}", b"[]", b'{"keys": {}}', b"\xff"):
        with pytest.raises(ValueError, match=r"\S"):
            parse_keys(broken)


@pytest.mark.unit
async def test_keys_are_read_when_they_are_new_and_seldom_else(issuer: Issuer) -> None:
    own = Issuer(private=dict(issuer.private))
    keys = SigningKeys(own.fetch, 3600, 0.3)
    found = await asyncio.gather(*(keys.find("one") for _ in range(50)))
    assert all(found)
    assert own.reads == 1
    await asyncio.gather(*(keys.find(f"unknown-{number}") for number in range(50)))
    assert own.reads <= 2
    await asyncio.sleep(0.3)
    own.add("new", "EC")
    assert await keys.find("new")
    assert own.reads <= 3


@pytest.mark.unit
async def test_an_issuer_that_does_not_answer_holds_up_no_known_key(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_keys, "FETCH_SECONDS", 0.2)
    own = Issuer(private=dict(issuer.private))
    keys = SigningKeys(own.fetch, 3600, 0.01)
    known = TokenCallers(settings(), keys)
    assert await known.caller_of(call(own.token()))
    own.dead = True
    await asyncio.sleep(0.01)
    unknown = asyncio.create_task(refused(known, own.token(headers={"kid": "other"})))
    reads = own.reads
    while own.reads == reads:
        await asyncio.sleep(0)
    assert await known.caller_of(call(own.token()))
    assert not unknown.done()
    error = await unknown
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "TOKEN_KEYS_UNAVAILABLE")
    assert error.retry_after
    assert await known.caller_of(call(own.token()))


@pytest.fixture
async def served() -> AsyncIterator[tuple[str, dict[str, web.Response]]]:
    """A web server: its address, and what it answers by path."""
    answers: dict[str, Any] = {}

    async def answer(request: web.Request) -> web.Response:
        made: web.Response = answers[request.path]()
        return made

    app = web.Application()
    app.router.add_get("/{path}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}", answers
    await runner.cleanup()


@pytest.mark.mesh
async def test_keys_come_over_http(issuer: Issuer, served: tuple[str, dict[str, Any]]) -> None:
    address, answers = served
    answers["/keys"] = lambda: web.json_response(issuer.jwks())
    answers["/moved"] = lambda: web.Response(status=302, headers={"Location": "/keys"})
    answers["/broken"] = lambda: web.Response(status=500)
    answers["/huge"] = lambda: web.Response(body=b" " * (signing_keys.MAX_BYTES + 1))
    assert await SigningKeys(from_url(f"{address}/keys"), 3600, 30).find("one")
    for path in ("moved", "broken", "huge"):
        with pytest.raises(StageError) as error:
            await SigningKeys(from_url(f"{address}/{path}"), 3600, 30).find("one")
        assert error.value.reason == "TOKEN_KEYS_UNAVAILABLE"


@pytest.mark.mesh
async def test_a_gateway_takes_tokens(guarded: Guarded, issuer: Issuer, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(issuer.jwks()))
    tokens = TokenSettings(issuer=ISSUER, audience=AUDIENCE, jwks_file=file)
    guarded.mesh.gateway_options["access"] = AccessSettings(local_user=False, tokens=tokens)
    async with guarded.mesh.gateway() as address:
        assert await lists(address, issuer.token(), "acme") == []
        assert (await refusal(lists(address, issuer.token(), "other")))[1] == "TENANT_NOT_ALLOWED"
        assert (await refusal(lists(address, issuer.token(scope="openid"))))[1] == "SCOPE_MISSING"
        assert await refusal(lists(address, issuer.token(aud="other"))) == INVALID
        assert await refusal(lists(address, "garbage")) == INVALID
    assert await from_file(file)()


@pytest.mark.unit
@pytest.mark.parametrize(
    "options",
    [
        {"issuer": ISSUER},
        {"issuer": ISSUER, "audience": AUDIENCE},
        {"issuer": ISSUER, "audience": "a", "jwks_url": "https://a/", "jwks_file": "keys"},
        {"issuer": ISSUER, "audience": "a", "jwks_url": "http://issuer.example/keys"},
        {"issuer": ISSUER, "audience": "a", "jwks_url": "file:///etc/passwd"},
        {"algorithms": ("HS256",)},
        {"algorithms": ("none",)},
        {"algorithms": ()},
        {"scopes": {"x": "root"}},
    ],
)
def test_settings_that_would_let_in_anybody_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TokenSettings(**options)
