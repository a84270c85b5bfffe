"""A mesh that speaks: the real synthesis stage beside empty ones."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, cast

from maie_runtime.blobs import Blobs
from maie_synthesis.settings import SynthesisSettings
from maie_synthesis.stage import SynthesizeStage, open_stage
from tests.empty_stages import EmptyStage
from tests.gateway.conftest import EmptyMesh


@dataclass(frozen=True)
class RealStage:
    """The real stage, as `EmptyMesh` opens it."""

    settings: SynthesisSettings = field(default_factory=lambda: SynthesisSettings(slots=2))

    def opened(self, blobs: Blobs) -> AbstractAsyncContextManager[SynthesizeStage]:
        """The stage as `serve_stage` opens it."""
        return open_stage(self.settings, blobs)


def with_voice(mesh: EmptyMesh) -> EmptyMesh:
    """A mesh that speaks."""
    mesh.stages["synthesis"] = cast(EmptyStage, cast(Any, RealStage()))
    return mesh
