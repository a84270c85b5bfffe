"""Types of NATS for handlers of messages and buckets."""

from __future__ import annotations

from nats.aio.msg import Msg
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RawStreamMsg,
    StreamConfig,
    StreamInfo,
)
from nats.js.kv import KeyValue

__all__ = [
    "AckPolicy",
    "ConsumerConfig",
    "DiscardPolicy",
    "KeyValue",
    "Msg",
    "RawStreamMsg",
    "StreamConfig",
    "StreamInfo",
]
