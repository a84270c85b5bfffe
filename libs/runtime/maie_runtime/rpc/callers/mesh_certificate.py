"""Callers that have a certificate of the mesh's own CA, which says what part they are."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from maie_core.caller import DEFAULT_TENANT, Caller, CallerKind, Scope
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.callers.authenticator import Call
from maie_tls.names import GATEWAY, OPERATOR, part_of
from maie_tls.pem import read_certificates

_MAY_CALL_STAGES = frozenset({GATEWAY, OPERATOR})
_ALL_CERTIFICATES = 256
# Names in gRPC's auth context.
_URIS = "peer_uri"
_CERTIFICATE = "x509_pem_cert"


class MeshCertificate:
    """Knows the parts of the mesh by their certificates, which TLS has checked.

    Gateways and operators may call stages, for any tenant. The others are known, and may not.

    Attributes:
        remedy: How to call with its credentials, as a sentence.
    """

    remedy = "Call it with a certificate of the mesh that is a gateway's or an operator's."

    async def caller_of(self, call: Call) -> Caller | None:
        """The part of the mesh that calls; None where the certificate names none.

        Raises:
            StageError: UNAUTHENTICATED with CREDENTIALS_INVALID: the certificate has expired since
                the connection was made.
        """
        part = part_of(uri.decode() for uri in call.transport.get(_URIS, ()))
        if not part:
            return None
        for certificate in call.transport.get(_CERTIFICATE, ()):
            _check_end(certificate)
        scopes = frozenset({Scope.ADMIN}) if part in _MAY_CALL_STAGES else frozenset[Scope]()
        return Caller(id=f"mesh:{part}", tenant=DEFAULT_TENANT, scopes=scopes, kind=CallerKind.MESH)


def _check_end(certificate: bytes) -> None:
    if datetime.now(UTC) > _end_of(certificate):
        raise StageError(
            Code.UNAUTHENTICATED,
            Reason.CREDENTIALS_INVALID,
            "The certificate of this connection has expired; connect again with a new one.",
        )


@lru_cache(maxsize=_ALL_CERTIFICATES)
def _end_of(certificate: bytes) -> datetime:
    return read_certificates(certificate)[0].not_valid_after_utc
