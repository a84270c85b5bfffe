"""Blocks of decoded sound as arrays, one row for each channel. Runs in the decoder."""

from __future__ import annotations

import numpy as np
from av.audio.frame import AudioFrame


def planes(block: AudioFrame) -> np.ndarray:
    """The samples of a block, channels by samples, in the codec's format."""
    samples = block.to_ndarray()
    if block.format.is_planar:
        return samples
    return samples.reshape(-1, block.layout.nb_channels).T


def as_float(samples: np.ndarray) -> np.ndarray:
    """Samples of any format as 32-bit floats, full scale being 1, channel after channel."""
    # Contiguous channels: otherwise all later steps take ten times as long.
    samples = np.ascontiguousarray(samples)
    if samples.dtype.kind == "u":
        return (samples.astype(np.float32) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float32) * np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
    return samples.astype(np.float32, copy=False)


def mono(samples: np.ndarray, sample_rate: int) -> AudioFrame:
    """A block of one channel, in the format of its samples."""
    name = {"u1": "u8", "i2": "s16", "i4": "s32", "f4": "flt", "f8": "dbl"}[samples.dtype.str[1:]]
    frame = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples)[np.newaxis], format=name, layout="mono"
    )
    frame.sample_rate = sample_rate
    return frame
