"""Which device a model runs on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from maie_core.errors import Code, StageError
from maie_core.reasons import Reason

Device = Literal["auto", "cuda", "mps", "cpu"]
"""What settings say: a device, or the first one that there is."""
ORDER: Final = ("cuda", "mps", "cpu")


def candidates(device: Device, present: Sequence[str], variable: str) -> list[str]:
    """The devices to try, in order: the one that is asked for, or any with `auto`.

    Args:
        device: What the settings say.
        present: What the library finds.
        variable: The setting.

    Raises:
        StageError: FAILED_PRECONDITION with DEVICE_UNAVAILABLE.
    """
    wanted = ORDER if device == "auto" else (device,)
    if found := [each for each in wanted if each in present]:
        return found
    raise unavailable(device, variable)


def unavailable(device: str, variable: str) -> StageError:
    """The error for a device that is not there."""
    return StageError(
        Code.FAILED_PRECONDITION,
        Reason.DEVICE_UNAVAILABLE,
        f"The device {device} is not there for this engine; set {variable} to cpu, or "
        "install the library for that device.",
    )
