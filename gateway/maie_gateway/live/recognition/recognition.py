"""Recognises a track with one ASR replica after another, as they fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from maie.asr.v1 import streaming_pb2 as asr
from maie_core.reasons import Reason
from maie_core.samples import duration
from maie_gateway.live.metrics import LiveMetrics
from maie_gateway.live.recognition.asr_replicas import AsrReplicas
from maie_gateway.live.recognition.backlog import Backlog, Item
from maie_gateway.live.recognition.track_calls import TrackCalls
from maie_gateway.live.settings import LiveSettings


class Listener(Protocol):
    """Takes what a replica says of a track."""

    async def ready(self, ready: asr.StreamingReady) -> None:
        """A replica takes the track."""

    async def turn(self, turn: asr.StreamingTurn) -> None:
        """An utterance begins or ends."""

    async def partial(self, partial: asr.StreamingPartial) -> None:
        """The text of an utterance so far."""

    async def final(self, final: asr.StreamingFinal) -> None:
        """The text of an utterance; returns once it cannot be lost."""

    async def progress(self, progress: asr.StreamingProgress) -> None:
        """How far the track is."""


class Recognition(TrackCalls[asr.StreamingRecognizeRequest, asr.StreamingRecognizeResponse]):
    """The ASR calls of one track, one at a time.

    Args:
        backlog: What is to be recognised, and what of it is durable.
        replicas: The ASR replicas.
        options: Gives the options of the track as they are now.
        listener: Takes the events.
        settings: How long to wait for what.
        metrics: Counts replicas that fail.
    """

    def __init__(
        self,
        backlog: Backlog,
        replicas: AsrReplicas,
        options: Callable[[], asr.StreamingOptions],
        listener: Listener,
        settings: LiveSettings,
        metrics: LiveMetrics,
    ) -> None:
        super().__init__(backlog, replicas, "ASR", settings)
        self._metrics = metrics
        self._options = options
        self._listener = listener

    def configure(self, change: asr.StreamingOptions) -> None:
        """Changes options, from the next utterance on."""
        if self._in_call:
            self._changes.append(asr.StreamingRecognizeRequest(configure=change))
            self._news.set()

    def _config(self) -> asr.StreamingRecognizeRequest:
        begin, mark = self._backlog.begin, self._backlog.mark
        return asr.StreamingRecognizeRequest(
            config=asr.StreamingConfig(
                options=self._options(),
                start_offset=duration(begin),
                settled_offset=duration(max(begin, mark.settled)),
                next_utterance=mark.next_utterance,
            )
        )

    def _requests(self, item: Item) -> list[asr.StreamingRecognizeRequest]:
        requests = []
        if item.pcm:
            requests.append(asr.StreamingRecognizeRequest(audio=item.pcm))
        if item.silence:
            requests.append(asr.StreamingRecognizeRequest(silence=duration(item.silence)))
        if item.finalize:
            requests.append(asr.StreamingRecognizeRequest(finalize=asr.StreamingFinalize()))
        return requests

    def _last(self) -> asr.StreamingRecognizeRequest:
        return asr.StreamingRecognizeRequest(end=asr.StreamingEnd())

    def _retried(self, reason: Reason) -> None:
        self._metrics.retried(reason)

    async def _take(self, response: asr.StreamingRecognizeResponse) -> None:
        match response.WhichOneof("response"):
            case "ready":
                await self._listener.ready(response.ready)
            case "turn":
                await self._listener.turn(response.turn)
            case "partial":
                await self._listener.partial(response.partial)
            case "final":
                await self._listener.final(response.final)
            case "progress":
                await self._listener.progress(response.progress)
