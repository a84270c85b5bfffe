"""The names of spans' attributes that are maie's own; docs/tracing.md explains them.

No attribute holds text, audio, names that clients gave, prompts, URLs or secrets.
"""

from __future__ import annotations

JOB = "maie.job.id"
TENANT = "maie.tenant"
UNIT = "maie.unit"
ATTEMPT = "maie.attempt"
STAGE = "maie.stage"
LANE = "maie.lane"
DELIVERY = "maie.delivery"
SUSPECT = "maie.suspect"
OUTCOME = "maie.outcome"
STATE = "maie.job.state"
BYTES = "maie.bytes"
AUDIO_SECONDS = "maie.audio.duration"
RECEIVER = "maie.webhook.receiver"
TRACK = "maie.live.track"
CHANNEL = "maie.live.channel"
UTTERANCE = "maie.live.utterance"
EPOCH = "maie.live.epoch"

ERROR_TYPE = "error.type"
"""Of the conventions: the reason of a StageError, or the class of another exception."""
