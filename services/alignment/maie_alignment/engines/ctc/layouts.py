"""What CTC models take and give, by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from maie_alignment.engines.ctc.audio import Waveform

# Attention takes memory by the square of the length.
MAX_SECONDS: Final = 40.0
# The model of hama says nothing of what comes later, and raises no error.
_HAMA_MAX_SECONDS: Final = 30.0


@dataclass(kw_only=True, frozen=True, slots=True)
class Layout:
    """The inputs and the output of a model.

    Attributes:
        waveform: The input with the audio, of shape (1, samples).
        mask: The input with a 1 for each sample, of the same shape; empty where there is none.
        lengths: The input with the number of samples, of shape (1,); empty where there is none.
        output: The output with logits or log probabilities, of shape (1, frames, columns).
        max_seconds: The longest audio that it hears whole.
    """

    waveform: str
    mask: str = ""
    lengths: str = ""
    output: str
    max_seconds: float = MAX_SECONDS

    @property
    def inputs(self) -> set[str]:
        """The names of all inputs."""
        return {each for each in (self.waveform, self.mask, self.lengths) if each}

    def feed(self, waveform: Waveform) -> dict[str, NDArray]:
        """The inputs for audio, by name."""
        values: dict[str, NDArray] = {self.waveform: waveform[np.newaxis]}
        if self.mask:
            values[self.mask] = np.ones((1, len(waveform)), np.int64)
        if self.lengths:
            values[self.lengths] = np.array([len(waveform)], np.int64)
        return values


# Exports of transformers, without a mask and with one, and that of hama.
_KNOWN: Final = (
    Layout(waveform="input_values", output="logits"),
    Layout(waveform="input_values", mask="attention_mask", output="logits"),
    Layout(
        waveform="waveform",
        lengths="waveform_lengths",
        output="log_probs",
        max_seconds=_HAMA_MAX_SECONDS,
    ),
)


def layout_of(inputs: Iterable[str], outputs: Iterable[str]) -> Layout | None:
    """The layout of a model with these inputs and outputs; None where it is not known."""
    taken, given = set(inputs), set(outputs)
    return next((each for each in _KNOWN if each.inputs == taken and each.output in given), None)
