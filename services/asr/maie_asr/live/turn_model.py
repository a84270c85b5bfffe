"""The interface of a model that judges whether a speaker is done, in plain Python types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from maie_asr.engine import Samples
from maie_asr.settings import TURN_DETECTORS, AsrSettings
from maie_runtime.worker.engines import load_engine


class TurnModel(Protocol):
    """Judges many tracks, as many at a time as the service has live workers.

    Its factory takes the service's settings and gives an async context manager around it, as those
    of engines do.
    """

    async def probability(self, samples: Samples) -> float:
        """Judges an utterance by its sound. Blocking work runs in threads or processes.

        Args:
            samples: The last seconds of the utterance so far, at most `MAX_JUDGED_SAMPLES`, with
                the silence at its end.

        Returns:
            How probable it is that the speaker is done, 0 to 1.

        Raises:
            StageError: It could not be judged; the model still works.
        """
        ...


@asynccontextmanager
async def open_turn_model(settings: AsrSettings) -> AsyncIterator[TurnModel | None]:
    """Yields the model that the settings name; None where they name none.

    Raises:
        StageError: FAILED_PRECONDITION with ENGINE_NOT_FOUND, or as the factory raises it.
    """
    name = settings.live.turn_engine
    if not name:
        yield None
        return
    async with load_engine(TURN_DETECTORS, name)(settings) as model:
        yield model
