"""Dynamic batching: decodes windows of different requests in one batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ctranslate2 import StorageView

from maie_asr.engines.whisper.encoded import EncodedWindows, encoded_windows, join
from maie_runtime.worker.stage import Batching


@dataclass(kw_only=True, slots=True, eq=False)
class _Call:
    """A queued call of one recognition.

    Attributes:
        key: Calls with the same key can be batched.
        rows: The number of windows in the call.
        run: Runs several calls with the same key as one, and returns a result for each.
        payload: The call's argument to `run`.
        answer: The call's result.
        queued: When it was queued, by the monotonic clock.
    """

    key: Hashable
    rows: int
    run: Callable[[Sequence[Any]], Sequence[Any]]
    payload: Any
    answer: Future[Any] = field(default_factory=Future)
    queued: float = field(default_factory=time.monotonic)


class BatchingModel:
    """Replaces a `ctranslate2.models.Whisper` and batches the calls of several threads.

    faster-whisper transcribes each recording unchanged, in a thread of its own; only its calls of
    the network wait until all active threads have called, or `wait_seconds` have passed. A single
    thread never waits. The rows of a batch are independent, so the text is the same as without
    batching; but sums are rounded in another order, so words' times may differ by a frame of 20 ms
    and confidences in the fourth digit.

    Args:
        model: The network.
        start_token: The id of `<|startoftranscript|>`; it must have the same position in all
            prompts of a batch.
        max_rows: The most windows in one batch.
        wait_seconds: The longest that a call waits for others.
        lanes: The concurrent batches: one for each device.

    Attributes:
        batches: How many batches ran.
        rows: How many windows they held in all.
    """

    def __init__(
        self, model: Any, *, start_token: int, max_rows: int, wait_seconds: float, lanes: int
    ) -> None:
        self._model = model
        self._start_token = start_token
        self._max_rows = max_rows
        self._wait_seconds = wait_seconds
        self._changed = threading.Condition()
        self._waiting: list[_Call] = []
        self._readers = 0
        self._closed = False
        self._executor = ThreadPoolExecutor(lanes, "whisper-batch")
        self._running = 0
        self.batches = 0
        self.rows = 0
        for _ in range(lanes):
            self._executor.submit(self._serve)

    def __getattr__(self, name: str) -> Any:
        """Other attributes (device, languages) are those of the model."""
        return getattr(self._model, name)

    @property
    def batching(self) -> Batching:
        """The batches so far, and the calls that are in one or wait for one now."""
        with self._changed:
            return Batching(
                batches=self.batches,
                rows=self.rows,
                running=self._running,
                waiting=len(self._waiting),
            )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Marks this thread as active: it may call soon, so others wait for it."""
        self._count_readers(1)
        try:
            yield
        finally:
            self._count_readers(-1)

    def close(self) -> None:
        """Ends after the current batch; queued calls fail with RuntimeError."""
        with self._changed:
            self._closed = True
            for call in self._waiting:
                call.answer.set_exception(RuntimeError("the model was closed"))
            self._waiting.clear()
            self._changed.notify_all()
        self._executor.shutdown()

    def encode(self, features: StorageView, to_cpu: bool = False) -> EncodedWindows:
        """See `ctranslate2.models.Whisper.encode`."""
        rows = np.asarray(features)

        def run(batch: Sequence[Any]) -> Sequence[EncodedWindows]:
            stacked = StorageView.from_array(np.concatenate(batch))
            encoded = self._model.encode(stacked, to_cpu=to_cpu)
            return encoded_windows(encoded, [len(each) for each in batch])

        return self._join(("encode", rows.shape[1:], to_cpu), len(rows), run, rows)

    def generate(
        self, features: EncodedWindows, prompts: list[list[int]], **options: Any
    ) -> list[Any]:
        """See `ctranslate2.models.Whisper.generate`."""

        def run(batch: Sequence[Any]) -> Sequence[list[Any]]:
            encoded = join([each[0] for each in batch])
            found = self._model.generate(encoded, [p for each in batch for p in each[1]], **options)
            return _split(found, [len(each[1]) for each in batch])

        shapes = {(len(prompt), prompt.index(self._start_token)) for prompt in prompts}
        key = ("generate", frozenset(shapes), _hashable(options))
        return self._join(key, len(prompts), run, (features, prompts))

    def detect_language(self, features: EncodedWindows) -> list[Any]:
        """See `ctranslate2.models.Whisper.detect_language`."""

        def run(batch: Sequence[EncodedWindows]) -> Sequence[list[Any]]:
            found = self._model.detect_language(join(batch))
            return _split(found, [each.count for each in batch])

        return self._join("detect_language", features.count, run, features)

    def align(
        self,
        features: EncodedWindows,
        start_sequence: list[int],
        text_tokens: list[list[int]],
        num_frames: int | list[int],
        *,
        median_filter_width: int = 7,
    ) -> list[Any]:
        """See `ctranslate2.models.Whisper.align`."""
        count = len(text_tokens)
        frames = [num_frames] * count if isinstance(num_frames, int) else num_frames

        def run(batch: Sequence[Any]) -> Sequence[list[Any]]:
            found = self._model.align(
                join([each[0] for each in batch]),
                start_sequence,
                [tokens for each in batch for tokens in each[1]],
                [frame for each in batch for frame in each[2]],
                median_filter_width=median_filter_width,
            )
            return _split(found, [len(each[1]) for each in batch])

        key = ("align", tuple(start_sequence), median_filter_width)
        return self._join(key, count, run, (features, text_tokens, frames))

    def _join(
        self,
        key: Hashable,
        rows: int,
        run: Callable[[Sequence[Any]], Sequence[Any]],
        payload: Any,
    ) -> Any:
        call = _Call(key=key, rows=rows, run=run, payload=payload)
        with self._changed:
            if self._closed:
                raise RuntimeError("the model was closed")
            self._waiting.append(call)
            self._changed.notify_all()
        return call.answer.result()

    def _count_readers(self, change: int) -> None:
        with self._changed:
            self._readers += change
            self._changed.notify_all()

    def _serve(self) -> None:
        while batch := self._take():
            self._answer(batch)
            with self._changed:
                self._running -= len(batch)

    def _take(self) -> list[_Call]:
        """Waits for the next batch; empty after `close`."""
        with self._changed:
            while not self._closed:
                batch, wait = self._next()
                if batch and wait <= 0:
                    self._waiting = [call for call in self._waiting if call not in batch]
                    self._running += len(batch)
                    self.batches += 1
                    self.rows += sum(call.rows for call in batch)
                    return batch
                self._changed.wait(wait if batch else None)
            return []

    def _next(self) -> tuple[list[_Call], float]:
        """The batch of the oldest call as of now, and how long it may still wait."""
        if not self._waiting:
            return [], 0
        oldest = self._waiting[0]
        batch, rows = [oldest], oldest.rows
        for call in self._waiting[1:]:
            if call.key == oldest.key and rows + call.rows <= self._max_rows:
                batch.append(call)
                rows += call.rows
        if rows >= self._max_rows or len(self._waiting) >= self._readers:
            return batch, 0
        return batch, oldest.queued + self._wait_seconds - time.monotonic()

    def _answer(self, batch: list[_Call]) -> None:
        """Runs a batch; if it fails, runs each call alone, so that one error fails one call."""
        try:
            results = batch[0].run([call.payload for call in batch])
        except Exception as error:  # noqa: BLE001 - the callers raise it
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
                return
            for call in batch:
                self._answer([call])
            return
        for call, result in zip(batch, results, strict=True):
            call.answer.set_result(result)


def _split(found: list[Any], counts: Sequence[int]) -> list[list[Any]]:
    rows = iter(found)
    return [[next(rows) for _ in range(count)] for count in counts]


def _hashable(options: dict[str, Any]) -> Hashable:
    return frozenset(
        (name, tuple(value) if isinstance(value, list) else value)
        for name, value in options.items()
    )
