"""The engines that the contract is tested with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from maie_quality.engine import Engine
from maie_quality.engines import distillmos, dnsmos
from maie_quality.engines.distillmos.model import DISTILLMOS
from maie_quality.engines.dnsmos.models import P808, P835
from maie_quality.settings import QualitySettings
from maie_speech.shipped_models import ShippedModel


@dataclass(kw_only=True, frozen=True, slots=True)
class Case:
    """An engine, and what it has of its own.

    Attributes:
        create: Its factory.
        window: The samples of a window.
        models: The models that ship for it.
        scores: The opinions that it gives.
    """

    create: Callable[[QualitySettings], AbstractAsyncContextManager[Engine]]
    window: int
    models: tuple[ShippedModel, ...]
    scores: tuple[str, ...]


CASES = {
    "dnsmos": Case(
        create=dnsmos.create,
        window=dnsmos.WINDOW,
        models=(P835, P808),
        scores=("overall", "speech", "background", "crowd"),
    ),
    "distillmos": Case(
        create=distillmos.create,
        window=distillmos.WINDOW,
        models=(DISTILLMOS,),
        scores=("overall",),
    ),
}
