"""A mesh with stages without engines, whose jobs have timelines."""

from __future__ import annotations

from tests.gateway.conftest import empty_mesh

__all__ = ["empty_mesh"]
