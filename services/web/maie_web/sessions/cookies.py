"""The cookies of a login."""

from __future__ import annotations

import math
import time

from litestar.datastructures import Cookie

from maie_web.sessions.seal import Seal
from maie_web.sessions.session import AnyConnection, OpenShare, PendingLogin, Session

NAME = "maie-session"
PENDING = "maie-login"
# With this, browsers take the cookie over TLS only, and from no other host of the domain:
# https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
HOST_PREFIX = "__Host-"
# The same for a cookie of some paths only.
SECURE_PREFIX = "__Secure-"
SHARE = "maie-share"
SHARED_PATH = "/v1/shared"
# Browsers keep 4096 bytes of a cookie with its name, so a long token takes several.
PART_CHARACTERS = 3800
MAX_PARTS = 5


class SessionCookies:
    """Writes a login into cookies, and reads it.

    Args:
        seal: What seals it.
        behind_tls: Whether a proxy on the way takes TLS.
    """

    def __init__(self, seal: Seal, *, behind_tls: bool) -> None:
        self._seal = seal
        self._behind_tls = behind_tls

    def session_of(self, connection: AnyConnection) -> Session | None:
        """The login that a request shows; None where there is none that works."""
        parts = []
        for name in self._names(connection):
            if not (part := connection.cookies.get(name)):
                break
            parts.append(part)
        return self._seal.open("".join(parts), Session) if parts else None

    def of_session(self, connection: AnyConnection, session: Session) -> list[Cookie]:
        """The cookies that log a browser in."""
        sealed = self._seal.close(session)
        parts = [
            sealed[start : start + PART_CHARACTERS]
            for start in range(0, len(sealed), PART_CHARACTERS)
        ]
        if len(parts) > MAX_PARTS:
            raise ValueError("the credentials are too long for cookies")
        seconds = max(0, math.floor(session.expires_at - time.time()))
        parts += [""] * (MAX_PARTS - len(parts))
        return [
            self._cookie(connection, name, part, seconds if part else 0)
            for name, part in zip(self._names(connection), parts, strict=True)
            if part or name in connection.cookies
        ]

    def of_nobody(self, connection: AnyConnection) -> list[Cookie]:
        """The cookies that log a browser out."""
        return [
            self._cookie(connection, name, "", 0)
            for name in self._names(connection)
            if name in connection.cookies
        ]

    def pending_of(self, connection: AnyConnection) -> PendingLogin | None:
        """The login that a browser has begun; None where there is none."""
        sealed = connection.cookies.get(self._prefixed(connection, PENDING), "")
        return self._seal.open(sealed, PendingLogin) if sealed else None

    def of_pending(self, connection: AnyConnection, pending: PendingLogin) -> Cookie:
        """The cookie of a login that begins."""
        seconds = max(0, math.floor(pending.expires_at - time.time()))
        name = self._prefixed(connection, PENDING)
        return self._cookie(connection, name, self._seal.close(pending), seconds)

    def of_no_pending(self, connection: AnyConnection) -> Cookie:
        """The cookie once the login has ended."""
        return self._cookie(connection, self._prefixed(connection, PENDING), "", 0)

    def share_of(self, connection: AnyConnection) -> OpenShare | None:
        """The share that a browser has opened, at a path beneath SHARED_PATH; None without one."""
        sealed = connection.cookies.get(self._share_name(connection), "")
        return self._seal.open(sealed, OpenShare) if sealed else None

    def of_share(self, connection: AnyConnection, share_id: str, opened: OpenShare) -> Cookie:
        """The cookie that opens a share, which browsers send for what is beneath its path only.

        So it is no login: a person who is logged in stays who they are, also on the page of a
        share, and several shares can be open.
        """
        return Cookie(
            key=self._share_name(connection),
            value=self._seal.close(opened),
            max_age=max(0, math.floor(opened.expires_at - time.time())),
            path=f"{SHARED_PATH}/{share_id}",
            httponly=True,
            samesite="strict",
            secure=self.is_secure(connection),
        )

    def is_secure(self, connection: AnyConnection) -> bool:
        """Whether a browser's connection is over TLS."""
        return self._behind_tls or connection.scope["scheme"] in ("https", "wss")

    def _share_name(self, connection: AnyConnection) -> str:
        return f"{SECURE_PREFIX}{SHARE}" if self.is_secure(connection) else SHARE

    def _names(self, connection: AnyConnection) -> list[str]:
        name = self._prefixed(connection, NAME)
        return [name, *(f"{name}-{number}" for number in range(2, MAX_PARTS + 1))]

    def _prefixed(self, connection: AnyConnection, name: str) -> str:
        return f"{HOST_PREFIX}{name}" if self.is_secure(connection) else name

    def _cookie(self, connection: AnyConnection, name: str, value: str, seconds: int) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            max_age=seconds,
            path="/",
            httponly=True,
            # Links from other sites lead to pages that are logged in; `refuse_other_sites` refuses
            # everything else that other sites make a browser send.
            samesite="lax",
            secure=self.is_secure(connection),
        )
