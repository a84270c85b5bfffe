"""The sound that speech is looked for in."""

from __future__ import annotations

from typing import Final

SAMPLE_RATE: Final = 16_000
FRAME_SAMPLES: Final = 512
"""Samples that one probability of speech speaks of: 32 ms."""
WINDOW_FRAMES: Final = 320
"""Frames to feed at once, ten seconds: larger windows make the model no faster, and it needs memory
for each frame of a window. A whole number of the blocks of `BandWatch`."""
