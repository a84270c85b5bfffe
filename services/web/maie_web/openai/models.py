"""Models as OpenAI's clients list them, and by which names forms may ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from litestar import get
from litestar.params import FromPath

from maie.catalog.v1 import catalog_pb2 as catalog
from maie.common.v1 import types_pb2 as common
from maie_core.codes import Code
from maie_core.errors import StageError
from maie_core.reasons import Reason
from maie_web.callers import CallersClient

TAGS = ["OpenAI"]
WHISPER_1 = "whisper-1"
"""What OpenAI's clients ask for unless they know a mesh's models."""
DIARIZE = "gpt-4o-transcribe-diarize"
"""What they ask for where they want to know who speaks."""
OWNER = "maie"


@dataclass(kw_only=True, frozen=True, slots=True)
class Model:
    """A model that recordings can be read by.

    Attributes:
        id: What `model` may be.
        created: 0, as nobody knows when a model was made.
        object: What this is.
        owned_by: Who offers it.
    """

    id: str
    created: int = 0
    object: Literal["model"] = "model"
    owned_by: str = OWNER


@dataclass(kw_only=True, frozen=True, slots=True)
class ModelList:
    """All models, for OpenAI's clients and for the mesh's own.

    Attributes:
        data: What `model` of a transcription may be.
        models: The models of all workers, by stage, as ListModels has them.
        object: What this is.
    """

    data: list[Model]
    models: list[catalog.Model]
    object: Literal["list"] = "list"


def model_list(models: Sequence[catalog.Model]) -> ModelList:
    """The list for both kinds of clients."""
    return ModelList(data=[Model(id=name) for name in names_of(models)], models=list(models))


def names_of(models: Sequence[catalog.Model]) -> list[str]:
    """What `model` may be: the names of OpenAI for any model, and each model of the ASR stage."""
    engines = (each.info.engine for each in models if each.stage == common.STAGE_ASR)
    own = (each.model_name or each.engine for each in engines)
    return list(dict.fromkeys((WHISPER_1, DIARIZE, *own)))


def check_model(name: str, models: Sequence[catalog.Model]) -> None:
    """Refuses a model that the mesh does not have.

    Raises:
        StageError: NOT_FOUND with MODEL_UNKNOWN.
    """
    known = names_of(models)
    if name not in known:
        raise StageError(
            Code.NOT_FOUND,
            Reason.MODEL_UNKNOWN,
            f"There is no model of this name; name one of {', '.join(known)}.",
            field="model",
        )


@get("/v1/models/{model_id:path}", summary="Get a model", tags=TAGS)
async def model(client: CallersClient, model_id: FromPath[str]) -> Model:
    """A model that recordings can be read by."""
    name = model_id.removeprefix("/")
    check_model(name, await client.list_models(common.STAGE_ASR))
    return Model(id=name)
