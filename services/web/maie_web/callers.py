"""Who calls: what a request shows is passed on to the gateway, which judges it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from litestar.connection import WebSocket
from litestar.datastructures import Cookie
from litestar.di import NamedDependency

from maie_client import Client
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.callers.authenticator import Call
from maie_runtime.rpc.callers.local_user import LocalUser
from maie_web.oidc.logins import Logins
from maie_web.origins import Origins, peer_of
from maie_web.sessions.cookies import SessionCookies
from maie_web.sessions.session import AnyConnection, Session

# Deepgram's clients say `Token KEY`.
SCHEMES = ("bearer", "token")
API_KEY = "x-api-key"
TENANT = "maie-tenant"
# Pages cannot set headers of a WebSocket; they offer subprotocols instead.
LIVE_PROTOCOL = "maie.live.v1"
KEY_PROTOCOL = "maie.key."
# As OpenAI's clients in browsers do.
OPENAI_PROTOCOL = "realtime"
OPENAI_KEY_PROTOCOL = "openai-insecure-api-key."
# As Deepgram's do, with the key as the next subprotocol.
DEEPGRAM_PROTOCOLS = ("token", "bearer")
# In the state of a request: its login with another token.
RENEWED = "renewed_session"
# https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
SAME_SITE = ("same-origin", "none")


class Callers:
    """Gives each request a client of the gateway that acts for who sent it.

    A request shows an API key or a token, as `Authorization: Bearer KEY` or `X-API-Key: KEY`, or
    the cookie of a login. Without, it is let in only where the kernel says that the user who runs
    this process sent it; the gateway then sees that same user.

    Args:
        client: A client without credentials.
        listen: The HOST:PORT that HTTP listens on.
        cookies: The cookies of logins.
        session_hours: How long a login lasts at most.
        origins: Tells from where requests come.
        local_user: Whether the user who runs this process needs no credentials.
        logins: Logs people in at a provider; None where there is none.
    """

    def __init__(
        self,
        client: Client,
        listen: str,
        cookies: SessionCookies,
        *,
        origins: Origins,
        session_hours: float,
        local_user: bool,
        logins: Logins | None = None,
    ) -> None:
        self.anonymous = client
        self.cookies = cookies
        self._origins = origins
        self.session_hours = session_hours
        self.logins = logins
        self._listen = listen
        self._local = LocalUser() if local_user else None

    async def client_of(self, connection: AnyConnection) -> Client:
        """The client that acts for who makes a request.

        Raises:
            StageError: UNAUTHENTICATED with CREDENTIALS_MISSING or CREDENTIALS_INVALID;
                PERMISSION_DENIED with ORIGIN_REFUSED: a page of another site made a browser send
                it.
            ClientError: The tenant's name is invalid.
        """
        tenant = connection.headers.get(TENANT, "")
        if shown := _shown(connection):
            return self.acting(connection, token=shown, tenant=tenant)
        if session := self.cookies.session_of(connection):
            refuse_other_sites(connection)
            self._refuse_other_schemes(connection)
            session = await self._renewed(connection, session)
            return self.acting(connection, token=session.token, tenant=tenant)
        if not await self._is_local(connection):
            raise _missing()
        refuse_other_sites(connection)
        return self.acting(connection, tenant=tenant)

    def acting(self, connection: AnyConnection, *, token: str = "", tenant: str = "") -> Client:
        """A client with these credentials that says from where a request comes.

        Raises:
            ClientError: The token or the tenant's name is invalid.
        """
        origin = self._origins.of(connection)
        return self.anonymous.acting(token=token, tenant=tenant, forwarded_for=origin)

    def session_of(self, connection: AnyConnection) -> Session | None:
        """The login that a request counts by; None where it counts by something else."""
        if _shown(connection):
            return None
        return connection.state.get(RENEWED) or self.cookies.session_of(connection)

    def renewed_cookies(self, connection: AnyConnection) -> list[Cookie]:
        """The cookies that the answer to a request must set, since its token was renewed."""
        renewed: Session | None = connection.state.get(RENEWED)
        return self.cookies.of_session(connection, renewed) if renewed else []

    async def _renewed(self, connection: AnyConnection, session: Session) -> Session:
        """The login of a request, with a token that lasts.

        Raises:
            StageError: UNAUTHENTICATED with LOGIN_FAILED; UNAVAILABLE with LOGIN_UNAVAILABLE.
            ClientError: The gateway does not take the next token.
        """
        if self.logins is None:
            return session
        renewed = await self.logins.renewals.current(session)
        if renewed != session:
            connection.state[RENEWED] = renewed
        return renewed

    def _refuse_other_schemes(self, connection: AnyConnection) -> None:
        """Refuses a page of the same host that came without TLS, and a WebSocket of no page.

        Raises:
            StageError: PERMISSION_DENIED with ORIGIN_REFUSED.
        """
        origin = connection.headers.get("origin")
        is_websocket = isinstance(connection, WebSocket)
        expected = "https" if self.cookies.is_secure(connection) else "http"
        if (origin is None and is_websocket) or (
            origin is not None and urlsplit(origin).scheme != expected
        ):
            raise _origin_refused()

    async def _is_local(self, connection: AnyConnection) -> bool:
        if self._local is None or connection.client is None or not _names_loopback(connection):
            return False
        call = Call(peer=peer_of(connection), server=self._listen, metadata={}, transport={})
        try:
            return await self._local.caller_of(call) is not None
        except StageError:
            return False


AllCallers = NamedDependency[Callers]
"""What handlers ask for that serve everybody."""
CallersClient = NamedDependency[Client]
"""What handlers ask for to act for who calls."""


def refuse_other_sites(connection: AnyConnection) -> None:
    """Refuses what a page of another site makes a browser send with credentials of the browser.

    Raises:
        StageError: PERMISSION_DENIED with ORIGIN_REFUSED.
    """
    site = connection.headers.get("sec-fetch-site", "none")
    origin = connection.headers.get("origin")
    host = connection.headers.get("host", "")
    if site not in SAME_SITE or (origin is not None and urlsplit(origin).netloc != host):
        raise _origin_refused()


def _shown(connection: AnyConnection) -> str:
    """The key or token that a request shows; empty for none."""
    authorization = connection.headers.get("authorization")
    if authorization is None:
        return connection.headers.get(API_KEY, "") or _offered(connection)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() not in SCHEMES or not token.strip():
        raise StageError(
            Code.UNAUTHENTICATED,
            Reason.CREDENTIALS_INVALID,
            "The request shows no key that could be one; send `Authorization: Bearer KEY` or "
            "`X-API-Key: KEY`.",
        )
    return token.strip()


def _offered(connection: AnyConnection) -> str:
    """The key or token that a WebSocket's subprotocols show; empty for none."""
    offered = connection.scope["subprotocols"] if isinstance(connection, WebSocket) else ()
    for name in offered:
        for prefix in (KEY_PROTOCOL, OPENAI_KEY_PROTOCOL):
            if name.startswith(prefix):
                return name.removeprefix(prefix)
    if len(offered) == 2 and offered[0].lower() in DEEPGRAM_PROTOCOLS:
        return offered[1]
    return ""


def _names_loopback(connection: AnyConnection) -> bool:
    """Whether the request names this machine.

    The name of another site may lead to a loopback address, which makes a browser send that site's
    requests here.
    """
    host = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _origin_refused() -> StageError:
    return StageError(
        Code.PERMISSION_DENIED,
        Reason.ORIGIN_REFUSED,
        "A page of another site sent this request; open the console of this address, or send an "
        "API key.",
    )


def _missing() -> StageError:
    return StageError(
        Code.UNAUTHENTICATED,
        Reason.CREDENTIALS_MISSING,
        "Nobody says who calls; send an API key as `Authorization: Bearer KEY`, or log in.",
    )
