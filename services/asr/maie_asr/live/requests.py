"""Checks the config of a live track."""

from __future__ import annotations

from maie.asr.v1 import streaming_pb2 as streaming
from maie_core.samples import samples
from maie_speech.live.requests import out_of_order, out_of_range


def config_of(request: streaming.StreamingRecognizeRequest) -> streaming.StreamingConfig:
    """The config, which is the first message.

    Raises:
        StageError: INVALID_ARGUMENT with STREAM_OUT_OF_ORDER or OPTION_OUT_OF_RANGE.
    """
    if request.WhichOneof("request") != "config":
        raise out_of_order(
            "The first message of a track is its `config`; send it before any other."
        )
    config = request.config
    start, settled = samples(config.start_offset), samples(config.settled_offset)
    if start < 0:
        raise out_of_range("start_offset", "0 or more")
    # Unset, it is the beginning.
    if config.HasField("settled_offset") and settled < start:
        raise out_of_range("settled_offset", "at `start_offset` or after it")
    if config.next_utterance < 0:
        raise out_of_range("next_utterance", "1 or more, or 0 for 1")
    return config
