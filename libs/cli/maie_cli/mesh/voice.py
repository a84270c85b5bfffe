"""Whether this machine can speak."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping

ENGINE = "MAIE_SYNTHESIS_ENGINE"
# The engine by default, whose library is no Python package.
FLITE, LIBRARY = "flite", "libflite.so.1"
LEFT_OUT = (
    "the synthesis service is left out: Flite is not installed (on Debian: apt install libflite1)"
)


def has_voice(settings: Mapping[str, str]) -> bool:
    """Whether the synthesis service could start, as far as is known without its model.

    Args:
        settings: What the service would read.
    """
    if (settings.get(ENGINE) or FLITE) != FLITE:
        return True
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True
