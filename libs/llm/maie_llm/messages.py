"""Converts the contract's messages to plain Python types."""

from __future__ import annotations

from maie.common.v1 import types_pb2 as common
from maie_core.options import check_generation
from maie_llm.model import Generation


def generation_of(options: common.GenerationOptions, field: str = "generation") -> Generation:
    """A request's generation parameters, for `Prompt.generation`.

    Args:
        options: The request's options; unset fields stay None.
        field: The request's field, for the error.

    Raises:
        StageError: INVALID_ARGUMENT with OPTION_OUT_OF_RANGE.
    """
    check_generation(options, field)
    return Generation(**{each.name: value for each, value in options.ListFields()})
