"""How the parts of a client ask the gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message

Ask = Callable[[Callable[..., Any], Message], Awaitable[Any]]
"""Calls a method of a stub with a request, and gives its answer."""
