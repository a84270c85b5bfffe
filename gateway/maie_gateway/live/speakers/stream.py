"""Has one diarization replica after another hear a track, as they fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from maie.diarization.v1 import streaming_pb2 as diarization
from maie_core.reasons import Reason
from maie_core.samples import duration
from maie_gateway.live.metrics import LiveMetrics
from maie_gateway.live.recognition.backlog import Backlog, Item
from maie_gateway.live.recognition.track_calls import TrackCalls
from maie_gateway.live.settings import LiveSettings
from maie_gateway.live.speakers.diarizers import Diarizers


class Listener(Protocol):
    """Takes what a replica says of a track."""

    async def ready(self, ready: diarization.StreamingDiarizeReady, begin: int) -> None:
        """A replica takes the track, from a place on, in samples."""

    async def turns(self, turns: diarization.StreamingTurns) -> None:
        """Who speaks in the next part of the track."""

    async def merged(self, update: diarization.StreamingSpeakerUpdate) -> None:
        """Two speakers turn out to be one; returns once it cannot be lost."""

    async def known(self, known: diarization.KnownSpeakers) -> None:
        """What is known of the voices; returns once it cannot be lost."""


class SpeakerStream(
    TrackCalls[diarization.StreamingDiarizeRequest, diarization.StreamingDiarizeResponse]
):
    """The diarization calls of one track, one at a time.

    Args:
        backlog: What is to be heard.
        diarizers: The diarization replicas.
        known: Gives what is known of the voices.
        listener: Takes the events.
        settings: How long to wait for what.
        metrics: Counts replicas that fail.
    """

    def __init__(
        self,
        backlog: Backlog,
        diarizers: Diarizers,
        known: Callable[[], diarization.KnownSpeakers | None],
        listener: Listener,
        settings: LiveSettings,
        metrics: LiveMetrics,
    ) -> None:
        super().__init__(backlog, diarizers, "diarization", settings)
        self._known = known
        self._listener = listener
        self._metrics = metrics
        self._begin_place = 0

    def _config(self) -> diarization.StreamingDiarizeRequest:
        self._begin_place = self._backlog.begin
        return diarization.StreamingDiarizeRequest(
            config=diarization.StreamingDiarizeConfig(
                start_offset=duration(self._begin_place), known=self._known()
            )
        )

    def _requests(self, item: Item) -> list[diarization.StreamingDiarizeRequest]:
        requests = []
        if item.pcm:
            requests.append(diarization.StreamingDiarizeRequest(audio=item.pcm))
        if item.silence:
            requests.append(diarization.StreamingDiarizeRequest(silence=duration(item.silence)))
        return requests

    def _last(self) -> diarization.StreamingDiarizeRequest:
        return diarization.StreamingDiarizeRequest(end=diarization.StreamingDiarizeEnd())

    def _retried(self, reason: Reason) -> None:
        self._metrics.speakers_retried(reason)

    async def _take(self, response: diarization.StreamingDiarizeResponse) -> None:
        match response.WhichOneof("response"):
            case "ready":
                await self._listener.ready(response.ready, self._begin_place)
            case "turns":
                await self._listener.turns(response.turns)
            case "update":
                await self._listener.merged(response.update)
            case "known":
                await self._listener.known(response.known)
