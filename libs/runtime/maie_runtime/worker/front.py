"""The port of a stage's service, which may have none, and what it says of its health."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from opentelemetry.metrics import Meter
from opentelemetry.trace import Tracer

from maie_core.metrics import NO_METER
from maie_core.recent_count import RecentCount
from maie_core.settings import ServiceSettings
from maie_pipeline.bindings import StageBinding
from maie_runtime.background import background_tasks
from maie_runtime.blobs import Blobs
from maie_runtime.health_file import HealthFile
from maie_runtime.rpc.callers.doors import doors
from maie_runtime.rpc.callers.mesh_certificate import MeshCertificate
from maie_runtime.rpc.exposure import check_exposure
from maie_runtime.rpc.mount import GrpcMount
from maie_runtime.rpc.server import GrpcServer
from maie_runtime.rpc.stream_mount import StreamMount
from maie_runtime.rpc.tls import ServerTls, mesh_certificates, observe_expiry, report_expiry
from maie_runtime.worker.host import Host
from maie_runtime.worker.stage import Stage, Streams
from maie_tls.files import CertificateFiles

CERTIFICATES = (
    "make certificates for the mesh (maie certs create) and name them in MAIE_TLS_CERT_FILE, "
    "MAIE_TLS_KEY_FILE and MAIE_TLS_CA_FILE"
)


class Front:
    """A stage's gRPC port, with its mounts, and its health file.

    Args:
        binding: The stage.
        settings: The service's settings.
        blobs: The object store.
        meter: Makes the metrics of calls, readiness and certificates.
        tracer: Makes a span of each call.

    Attributes:
        address: HOST:PORT of the port; empty where it has none.

    Raises:
        StageError: FAILED_PRECONDITION: other machines reach the port, and there is no TLS; or
            the certificates cannot be used.
        RuntimeError: The address is taken.
    """

    def __init__(
        self,
        binding: StageBinding,
        settings: ServiceSettings,
        blobs: Blobs,
        meter: Meter = NO_METER,
        tracer: Tracer | None = None,
    ) -> None:
        self._health = HealthFile(settings.mesh.health_file, meter)
        self._certificates = mesh_certificates(settings.mesh)
        if self._certificates is not None:
            observe_expiry(meter, {"mesh": self._certificates})
        self._server: GrpcServer | None = None
        self.faults = RecentCount()
        self.address = ""
        if settings.rpc == "off":
            return
        remedy = f"{CERTIFICATES}, set MAIE_{binding.slug.upper()}_RPC=off"
        check_exposure(settings.listen, has_tls=self._certificates is not None, remedy=remedy)
        self._server = _server(settings.listen, binding.services, self._certificates, meter, tracer)
        self._mount = GrpcMount(self._server.server, binding, blobs)
        self._stream_mount = (
            StreamMount(self._server.server, binding.stream) if binding.stream else None
        )
        self.faults, self.address = self._server.faults, self._server.address

    @asynccontextmanager
    async def open(self, grace: float) -> AsyncIterator[None]:
        """Answers calls, at first with "not yet"; stops with a grace in seconds."""
        async with self._health.kept(), background_tasks(*self._chores()):
            if self._server is not None:
                await self._server.start()
            try:
                yield
            finally:
                await self.stop(grace)

    def serve(self, stage: Stage[Any, Any], host: Host, streams: Streams | None) -> None:
        """Has calls answered by a stage whose model is loaded."""
        if self._server is None:
            return
        self._mount.serve(stage, host)
        if self._stream_mount is not None:
            self._stream_mount.serve(streams)

    async def set_serving(self, serving: bool) -> None:
        """Says whether the service takes work."""
        self._health.set_serving(serving)
        if self._server is not None:
            await self._server.set_serving(serving)

    async def stop(self, grace: float) -> None:
        """Refuses new calls, and gives running ones so many seconds."""
        if self._server is not None:
            await self._server.stop(grace)

    def _chores(self) -> list[Any]:
        return [report_expiry(self._certificates)] if self._certificates else []


def _server(
    listen: str,
    services: tuple[str, ...],
    certificates: CertificateFiles | None,
    meter: Meter,
    tracer: Tracer | None,
) -> GrpcServer:
    if certificates is None:
        return GrpcServer(listen, services, meter=meter, tracer=tracer)
    # Who has no certificate of the mesh is not let in: not the user who runs the service, either.
    authenticators = doors(listen, (MeshCertificate(certificates),), local_user=False)
    tls = ServerTls(files=certificates, clients=True)
    return GrpcServer(
        listen, services, authenticators=authenticators, tls=tls, meter=meter, tracer=tracer
    )
