"""What the tracks of a session share."""

from __future__ import annotations

from dataclasses import dataclass, field

from opentelemetry.trace import Tracer

from maie_audio.decoders import Decoders
from maie_gateway.live.ledger import Ledger
from maie_gateway.live.metrics import LiveMetrics
from maie_gateway.live.outbox import Outbox
from maie_gateway.live.recognition.asr_replicas import AsrReplicas
from maie_gateway.live.settings import LiveSettings
from maie_gateway.live.speakers.diarizers import Diarizers
from maie_gateway.live.stopwatch import Stopwatch
from maie_runtime.blobs import Blobs


@dataclass(kw_only=True, frozen=True, slots=True)
class TrackTools:
    """What the tracks of a session share.

    Attributes:
        ledger: The session's log.
        outbox: The client's events.
        replicas: The ASR replicas.
        diarizers: The diarization replicas, for tracks that several people share.
        decoders: Decode compressed audio.
        blobs: Takes audio that is kept.
        settings: The settings of live speech.
        metrics: Measures what comes of them.
        tracer: Makes a span of each utterance.
        client_time: How long the client had for its messages.
    """

    ledger: Ledger
    outbox: Outbox
    replicas: AsrReplicas
    diarizers: Diarizers
    decoders: Decoders
    blobs: Blobs
    settings: LiveSettings
    metrics: LiveMetrics
    tracer: Tracer
    client_time: Stopwatch = field(default_factory=Stopwatch)
