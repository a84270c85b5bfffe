"""Gateways with small limits, and what their callers do."""

from tests.gateway.access.conftest import guarded as guarded
