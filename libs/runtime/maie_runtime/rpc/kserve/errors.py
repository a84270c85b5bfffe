"""Maps a server's statuses to errors that a caller can act on.

A server's own text is neither logged nor returned, for it may repeat what was sent.
"""

from __future__ import annotations

import grpc
import structlog

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason
from maie_runtime.rpc.kserve.settings import InferenceServerSettings
from maie_runtime.server_calls import ServerUnavailable
from maie_tls.problems import tls_problem

log = structlog.get_logger()

# Words of grpcio 1.85 in the details of what it found by itself; tests/alignment/triton
# makes each of them.
_UNREACHABLE = ("failed to connect to all addresses", "errors resolving")
_CLOSED = "Socket closed"
# Triton 2.51 says so with UNAVAILABLE.
_RESTRICTED = "protocol is restricted"
_TOO_LARGE = "larger than max"
# Requests are not compressed.
_OF_AN_ANSWER = ("CLIENT:", "Decompressed")
_DENIED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_REFUSED = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.ALREADY_EXISTS,
)


class CallErrors:
    """The errors of one server's calls.

    Args:
        settings: The server.
    """

    def __init__(self, settings: InferenceServerSettings) -> None:
        self._settings = settings
        self._server = f"inference server at {settings.address}"

    def of(self, error: grpc.aio.AioRpcError, seconds: float) -> StageError:
        """The error for a call that failed.

        Args:
            error: What gRPC raised.
            seconds: How long the call could take.
        """
        code, details = error.code(), error.details() or ""
        log.info("inference.call_failed", server=self._settings.address, code=code.name)
        if code is grpc.StatusCode.UNAVAILABLE:
            return self._unavailable(details)
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return self.unavailable(f"did not answer within {seconds:g} s")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self._exhausted(details)
        if code in _DENIED:
            return self.denied(f"denies access with {code.name}")
        if code is grpc.StatusCode.NOT_FOUND:
            return self._missing()
        if code is grpc.StatusCode.UNIMPLEMENTED:
            return self.refused("does not speak the KServe v2 protocol", "name its port for gRPC")
        if code in _REFUSED:
            return self.refused(
                f"refused the request with {code.name}", "its own log says why; check the model"
            )
        return self.unavailable(f"failed with {code.name}")

    def unavailable(
        self, what: str, remedy: str = "try again later", *, answered: bool = False
    ) -> ServerUnavailable:
        """The server cannot answer for now."""
        return ServerUnavailable(f"The {self._server} {what}; {remedy}.", answered=answered)

    def denied(self, what: str) -> StageError:
        """The server denies access, or there is nothing to show to it."""
        return StageError(
            Code.FAILED_PRECONDITION,
            Reason.MODEL_ACCESS_DENIED,
            f"The {self._server} {what}; check {self._settings.variable('token_file')} and the "
            "certificate that this service shows.",
        )

    def refused(self, what: str, remedy: str) -> StageError:
        """The server does not take a request."""
        return StageError(
            Code.FAILED_PRECONDITION,
            Reason.MODEL_REQUEST_REFUSED,
            f"The {self._server} {what}; {remedy}.",
        )

    def invalid_answer(self, what: str) -> StageError:
        """The server answered with what cannot be a result."""
        return StageError(
            Code.INTERNAL,
            Reason.MODEL_ANSWER_INVALID,
            f"The {self._server} {what}; check its model {self._settings.model}.",
        )

    def _missing(self) -> StageError:
        version = self._settings.model_version
        shown = f" version {version} of" if version else ""
        return StageError(
            Code.FAILED_PRECONDITION,
            Reason.MODEL_MISSING,
            f"The {self._server} has no{shown} model {self._settings.model!r}; check "
            f"{self._settings.variable('model')} and {self._settings.variable('model_version')}.",
        )

    def _unavailable(self, details: str) -> StageError:
        problem = tls_problem(
            details,
            self._settings.address,
            setting=self._settings.variable("ca_file"),
            plain=f"set {self._settings.variable('tls')}=false if it is on this machine",
        )
        if problem:
            # Certificates are not renewed within seconds.
            return ServerUnavailable(problem, may_pass=False)
        if _RESTRICTED in details:
            return self.denied("denies access")
        if any(words in details for words in _UNREACHABLE):
            return self._unreachable(details)
        return self.unavailable("broke off the call, or takes none now")

    def _unreachable(self, details: str) -> ServerUnavailable:
        if _CLOSED not in details:
            return self.unavailable(
                "cannot be reached",
                f"check that it runs, and {self._settings.variable('address')}",
            )
        name = "cert_file" if self._settings.tls else "tls"
        may = "ask for a certificate" if self._settings.tls else "want TLS"
        return self.unavailable(
            "ends each connection", f"it may {may}; check {self._settings.variable(name)}"
        )

    def _exhausted(self, details: str) -> StageError:
        if _TOO_LARGE not in details:
            return self.unavailable("has too much to do", answered=True)
        if any(words in details for words in _OF_AN_ANSWER):
            return self.invalid_answer("sent more than an answer can have")
        return self.refused("takes no message as large as this audio", "raise its limit")
