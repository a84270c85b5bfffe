"""Reconnects come quickly here, as in the client's own tests; and the parts of a mesh."""

from tests.client.live.conftest import quick_reconnects  # noqa: F401
from tests.gateway.conftest import empty_mesh  # noqa: F401
from tests.gateway.live.conftest import live_mesh  # noqa: F401
