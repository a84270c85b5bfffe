"""Stages of the mesh, called in the bench's own process."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

from maie_runtime.blobs import Blobs
from maie_runtime.worker.stage import Stage, StageContext


async def call(stage: Stage[Any, Any], request: Any, blobs: Blobs) -> Any:
    """What a stage answers at last, apart from its progress."""
    context = StageContext(
        job_id="bench-stages", unit="direct", attempt=1, blobs=blobs, folder="direct/bench"
    )
    result = None
    async with aclosing(stage.run(request, context)) as responses:
        async for response in responses:
            update = response.WhichOneof("update")
            if update != "progress":
                result = getattr(response, update)
    return result
