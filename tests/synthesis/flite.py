"""Flite for tests: the real library, where it is installed."""

from __future__ import annotations

import ctypes

import pytest


def is_installed() -> bool:
    """Whether Debian's libflite1 is here."""
    try:
        ctypes.CDLL("libflite.so.1")
    except OSError:
        return False
    return True


needs_flite = pytest.mark.skipif(
    not is_installed(), reason="needs Flite: make flite, or apt install libflite1"
)
