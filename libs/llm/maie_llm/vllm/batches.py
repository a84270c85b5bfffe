"""Counts the batches of vLLM, for metrics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vllm.config import VllmConfig
from vllm.v1.metrics.loggers import StatLoggerBase
from vllm.v1.metrics.stats import IterationStats, MultiModalCacheStats, SchedulerStats

from maie_runtime.worker.stage import Batching


class BatchCounts:
    """What one engine did in batches, over all its loads. Its numbers are of the event loop."""

    def __init__(self) -> None:
        self._batches = 0
        self._rows = 0
        self._asked = 0
        self._waiting = 0

    @property
    def batching(self) -> Batching:
        """What it did so far, and what it does now."""
        # vLLM reports at its steps, so the last report may be of requests that ended since.
        waiting = min(self._waiting, self._asked)
        return Batching(
            batches=self._batches,
            rows=self._rows,
            running=self._asked - waiting,
            waiting=waiting,
        )

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Counts a request as long as the context lasts."""
        self._asked += 1
        try:
            yield
        finally:
            self._asked -= 1

    def logger(self, config: VllmConfig, index: int) -> StatLoggerBase:
        """What vLLM reports its steps to (`AsyncLLM.from_engine_args(stat_loggers=...)`)."""
        return _Logger(self, config, index)

    def note(self, scheduler: SchedulerStats | None, step: IterationStats | None) -> None:
        """Counts a step of the engine."""
        # Without speculative decoding, each sequence of a step gets one token.
        if step is not None and step.num_generation_tokens:
            self._batches += 1
            self._rows += step.num_generation_tokens
        if scheduler is not None:
            self._waiting = scheduler.num_waiting_reqs + scheduler.num_skipped_waiting_reqs


class _Logger(StatLoggerBase):  # type: ignore[misc]  # vLLM is not installed where types are checked
    def __init__(self, counts: BatchCounts, vllm_config: VllmConfig, engine_index: int = 0) -> None:
        self._counts = counts

    def record(
        self,
        scheduler_stats: SchedulerStats | None,
        iteration_stats: IterationStats | None,
        mm_cache_stats: MultiModalCacheStats | None = None,
        engine_idx: int = 0,
    ) -> None:
        self._counts.note(scheduler_stats, iteration_stats)

    def log_engine_initialized(self) -> None:
        """Our own log has it."""
