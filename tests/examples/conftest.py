"""The examples run against a gateway of its own for each test, with empty stages behind it."""

from tests.gateway.conftest import empty_mesh

__all__ = ["empty_mesh"]
