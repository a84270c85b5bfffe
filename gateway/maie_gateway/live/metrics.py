"""What a gateway measures of live speech."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from maie_core.metrics import NO_METER
from maie_core.reasons import Reason

# The bounds of the histogram that clients get, and finer ones below.
LATENCY_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10)
LAG_SECONDS = (0.25, 0.5, 1, 2, 3, 5, 10, 30, 60)


class LiveMetrics:
    """The instruments of a gateway's live sessions.

    Args:
        meter: Makes them.
    """

    def __init__(self, meter: Meter = NO_METER) -> None:
        self._meter = meter
        self._finals = meter.create_histogram(
            "maie.live.final.latency",
            unit="s",
            description="From the arrival of the last audio of an utterance to its stored final: "
            "what `latency` of a final says.",
            explicit_bucket_boundaries_advisory=LATENCY_SECONDS,
        )
        self._partials = meter.create_histogram(
            "maie.live.partial.latency",
            unit="s",
            description="From the arrival of the last audio in a partial result to its sending.",
            explicit_bucket_boundaries_advisory=LATENCY_SECONDS,
        )
        self._lag = meter.create_histogram(
            "maie.live.lag",
            unit="s",
            description="How far recognition is behind the audio, at each report of a replica.",
            explicit_bucket_boundaries_advisory=LAG_SECONDS,
        )
        self._audio = meter.create_counter(
            "maie.live.audio", unit="s", description="Live audio whose text is stored, by channel."
        )
        self._retries = meter.create_counter(
            "maie.live.retries",
            unit="{retry}",
            description="Audio without finals that was sent to another ASR replica, by the reason "
            "why one failed.",
        )

        self._speaker_retries = meter.create_counter(
            "maie.live.speaker_retries",
            unit="{retry}",
            description="Audio of tracks that several people share which was sent to another "
            "diarization replica, by the reason why one failed.",
        )

        for reason in (Reason.LIVE_UNAVAILABLE, Reason.WORKER_STOPS):
            # A counter that is absent until its first event has no rate for it.
            self._retries.add(0, {"reason": reason.value})
            self._speaker_retries.add(0, {"reason": reason.value})

    def final(self, arrived: float | None) -> None:
        """Counts a stored final.

        Args:
            arrived: When its last audio arrived, by the monotonic clock; None where unknown.
        """
        if arrived is not None:
            self._finals.record(time.monotonic() - arrived)

    def partial(self, arrived: float | None) -> None:
        """Counts a partial result; see `final`."""
        if arrived is not None:
            self._partials.record(time.monotonic() - arrived)

    def behind(self, seconds: float) -> None:
        """Notes how far recognition is behind."""
        self._lag.record(seconds)

    def settled(self, seconds: float) -> None:
        """Counts audio whose text is stored."""
        self._audio.add(max(0.0, seconds))

    def retried(self, reason: Reason) -> None:
        """Counts a replica that failed, and whose audio another one gets."""
        self._retries.add(1, {"reason": reason.value})

    def speakers_retried(self, reason: Reason) -> None:
        """Counts a diarization replica that failed, and whose audio another one gets."""
        self._speaker_retries.add(1, {"reason": reason.value})

    def observe(self, sessions: Callable[[], int], tracks: Callable[[], int]) -> None:
        """Makes the gauges of what the gateway has now.

        Args:
            sessions: Counts its sessions.
            tracks: Counts their tracks; a channel that is recognised is one.
        """

        def of(count: Callable[[], int]) -> Callable[[CallbackOptions], Iterator[Observation]]:
            def observe(_: CallbackOptions) -> Iterator[Observation]:
                yield Observation(count())

            return observe

        self._meter.create_observable_gauge(
            "maie.live.sessions",
            [of(sessions)],
            unit="{session}",
            description="Live sessions that have a call at this gateway.",
        )
        self._meter.create_observable_gauge(
            "maie.live.tracks",
            [of(tracks)],
            unit="{track}",
            description="Tracks of these sessions; each channel that is recognised is one.",
        )
