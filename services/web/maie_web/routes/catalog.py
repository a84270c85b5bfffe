"""The models of a mesh."""

from __future__ import annotations

from maie_web.callers import CallersClient
from maie_web.handlers import get
from maie_web.openai.models import ModelList, model_list

TAGS = ["catalog"]


@get("/v1/models", summary="List models", tags=TAGS)
async def models(client: CallersClient) -> ModelList:
    """The models of all workers, by stage, and which of them OpenAI's clients can name."""
    return model_list(await client.list_models())
