"""The trace context of a call."""

from __future__ import annotations

import re
from typing import Any

# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def traceparent_of(context: Any) -> str:
    """The caller's W3C trace context; empty where there is no valid one."""
    sent = dict(context.invocation_metadata() or ()).get("traceparent", "")
    return sent if isinstance(sent, str) and _TRACEPARENT.fullmatch(sent) else ""
