"""Callers that have a certificate of the mesh's own CA, which says what part they are."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509

from maie_core.caller import DEFAULT_TENANT, Caller, CallerKind, Scope
from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.callers.authenticator import Call
from maie_tls.authority import is_issued_by
from maie_tls.files import CertificateFiles
from maie_tls.names import GATEWAY, OPERATOR, part_of
from maie_tls.pem import read_certificates

_MAY_CALL_STAGES = frozenset({GATEWAY, OPERATOR})
# What the RPCs of stages need; SUBMIT those that gateways have as well.
_STAGES_NEED = frozenset({Scope.ADMIN, Scope.SUBMIT})
_ALL_CERTIFICATES = 256
# Names in gRPC's auth context.
_URIS = "peer_uri"
_CERTIFICATE = "x509_pem_cert"


class MeshCertificate:
    """Knows the parts of the mesh by their certificates, which TLS has checked.

    Gateways and operators may call stages, for any tenant. The others are known, and may not. TLS
    checks a certificate when a connection is made; each call looks again whether it has expired
    since, and whether its CA is trusted still.

    Args:
        files: The CAs of the mesh.

    Attributes:
        remedy: How to call with its credentials, as a sentence.
    """

    remedy = "Call it with a certificate of the mesh that is a gateway's or an operator's."

    def __init__(self, files: CertificateFiles) -> None:
        self._files = files

    async def caller_of(self, call: Call) -> Caller | None:
        """The part of the mesh that calls; None where the certificate names none.

        Raises:
            StageError: UNAUTHENTICATED with CREDENTIALS_INVALID: the certificate has expired, or
                its CA was withdrawn, since the connection was made.
        """
        part = part_of(uri.decode(errors="replace") for uri in call.transport.get(_URIS, ()))
        if not part:
            return None
        for certificate in call.transport.get(_CERTIFICATE, ()):
            if _end_of(certificate) < datetime.now(UTC):
                raise _no_longer("has expired")
            if _is_issued_by_any(certificate, self._files.current().withdrawn):
                raise _no_longer("is from a CA that is not trusted any more")
        scopes = _STAGES_NEED if part in _MAY_CALL_STAGES else frozenset[Scope]()
        return Caller(id=f"mesh:{part}", tenant=DEFAULT_TENANT, scopes=scopes, kind=CallerKind.MESH)


def _no_longer(why: str) -> StageError:
    return StageError(
        Code.UNAUTHENTICATED,
        Reason.CREDENTIALS_INVALID,
        f"The certificate of this connection {why}; connect again with a new one.",
    )


@lru_cache(maxsize=_ALL_CERTIFICATES)
def _end_of(certificate: bytes) -> datetime:
    return read_certificates(certificate)[0].not_valid_after_utc


@lru_cache(maxsize=_ALL_CERTIFICATES)
def _is_issued_by_any(certificate: bytes, authorities: tuple[x509.Certificate, ...]) -> bool:
    own = read_certificates(certificate)[0]
    return any(is_issued_by(own, each) for each in authorities)
