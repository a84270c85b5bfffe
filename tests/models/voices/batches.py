"""Windows and their targets as tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor

from tests.models.voices.network import MELS
from tests.models.voices.targets import IGNORED, Target, Targets
from tests.models.voices.windows import WHOLE, Mixture, Window, Windows

# Whisper's features: samples of a spectrum, and between two of them.
SPECTRUM, HOP = 400, 160
FEATURES_PER_FRAME = 2
# The longest sequence of the decoder, below Whisper's 448.
MOST_TOKENS = 440
# How often a whole window is cut from longer audio, and a short one put at the beginning.
CUT, AT_START = 0.4, 0.3
# How often bands of features are wiped out, how many and how wide.
WIPED, BANDS, BAND_WIDTH = 0.5, 2, 12


@dataclass(kw_only=True, frozen=True, slots=True)
class Batch:
    """Several windows of one length.

    Attributes:
        features: Log-mel: batch, bands, 10 ms.
        sounds: The sound of each frame: batch, 20 ms.
        offsets: Where each lies within 30 seconds, in frames.
        inputs: What the decoder reads: batch, tokens.
        labels: What it is to write; IGNORED where nothing is asked.
        guides: Where it should look: batch, tokens, frames.
    """

    features: torch.Tensor
    sounds: torch.Tensor
    offsets: list[int]
    inputs: torch.Tensor
    labels: torch.Tensor
    guides: torch.Tensor


class Batches:
    """Draws batches."""

    def __init__(self, windows: Windows, targets: Targets, chance: np.random.Generator) -> None:
        self._windows = windows
        self._targets = targets
        self._chance = chance
        self._filters = torch.from_numpy(FeatureExtractor(feature_size=MELS).mel_filters).float()
        self._taper = torch.hann_window(SPECTRUM)

    def draw(self, size: int, frames: int, mixture: Mixture) -> Batch:
        """Draws so many windows of so many frames."""
        windows, offsets, targets = [], [], []
        for _ in range(size):
            is_cut = frames == WHOLE and self._chance.random() < CUT
            is_at_start = frames == WHOLE or self._chance.random() < AT_START
            offset = 0 if is_at_start else int(self._chance.integers(0, WHOLE - frames + 1))
            windows.append(self._windows.draw(frames, mixture, is_cut=is_cut))
            offsets.append(offset)
            targets.append(self._targets.draw(windows[-1].turns, offset, mixture))
        inputs, labels, guides = self._stack(targets, frames)
        return Batch(
            features=torch.stack([self._features(window) for window in windows]),
            sounds=torch.from_numpy(np.stack([window.phones for window in windows])),
            offsets=offsets,
            inputs=inputs,
            labels=labels,
            guides=guides,
        )

    def _stack(
        self, targets: list[Target], frames: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        longest = min(max(len(target.inputs) for target in targets), MOST_TOKENS)
        inputs = torch.full((len(targets), longest), self._targets.vocabulary.end)
        labels = torch.full((len(targets), longest), IGNORED)
        guides = torch.zeros(len(targets), longest, frames, dtype=torch.bool)
        for row, target in enumerate(targets):
            length = min(len(target.inputs), longest)
            inputs[row, :length] = torch.tensor(target.inputs[:length])
            labels[row, :length] = torch.tensor(target.labels[:length])
            for place, guide in enumerate(target.guides[:length]):
                if guide:
                    start = min(max(guide[0], 0), frames - 1)
                    guides[row, place, start : max(guide[1], start + 1)] = True
        return inputs, labels, guides

    def _features(self, window: Window) -> torch.Tensor:
        """What faster-whisper makes of the audio: behind its end there are zeros, not silence."""
        length = FEATURES_PER_FRAME * window.frames
        heard = self._log_mel(torch.from_numpy(window.samples))[:, :length]
        if self._chance.random() < WIPED:
            for _ in range(BANDS):
                width = int(self._chance.integers(0, BAND_WIDTH))
                first = int(self._chance.integers(0, MELS - width + 1))
                heard[first : first + width] = heard.mean()
        return torch.nn.functional.pad(heard, (0, length - heard.shape[1]))

    def _log_mel(self, samples: torch.Tensor) -> torch.Tensor:
        """Whisper's features, as in faster_whisper.feature_extractor."""
        spectrum = torch.stft(
            torch.nn.functional.pad(samples, (0, HOP)),
            SPECTRUM,
            HOP,
            window=self._taper,
            return_complex=True,
        )
        energies = (self._filters @ spectrum[..., :-1].abs() ** 2).clamp_min(1e-10).log10()
        return (torch.maximum(energies, energies.max() - 8) + 4) / 4
