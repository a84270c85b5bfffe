"""Trains the tiny Whisper from random weights: `python -m tests.models.voices.train FOLDER`.

Needs flite, torch, transformers and faster-whisper (the environment of `make test-vllm` has all but
flite) and 50 minutes on one core.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tests.models.voices import tokens
from tests.models.voices.batches import Batch, Batches
from tests.models.voices.export import export
from tests.models.voices.flite import FliteMissingError
from tests.models.voices.network import Network
from tests.models.voices.takes import TRAINED, voice_all
from tests.models.voices.targets import IGNORED, Targets
from tests.models.voices.tokens import Vocabulary
from tests.models.voices.windows import WHOLE, Mixture, Windows

WARM_UP = 60
# The part of the peak learning rate that is left at a phase's end.
REST = 0.03
# How much the sounds and the guided looks count beside the text.
SOUNDS, GUIDES = 0.5, 0.3
# A frame of silence counts less than one of speech, of which there is less.
SILENCE = 0.3
# A timestamp may be a little off: how its target is spread over its neighbours, and what it counts.
SPREAD, TIMES = {-2: 0.1, -1: 0.2, 0: 0.4, 1: 0.2, 2: 0.1}, 0.5
# From so many frames on, half precision is faster.
HALF_FROM = 1000
# Frames of a batch of short windows, and how many windows there are at least.
BATCH_FRAMES, LEAST = 4000, 6
# How much of the averaged weights stays at each step.
INERTIA = 0.985


@dataclass(kw_only=True, frozen=True, slots=True)
class Phase:
    """A part of the training.

    Attributes:
        share: Its part of the time, 0 to 1.
        rate: The peak learning rate; it falls by a cosine.
        whole_from: The part of the phase after which windows are 30 seconds long: short ones are
            cheap, and attention finds its way in them first.
        whole: How many of the windows are then, 0 to 1.
        mixture: What is in windows.
        is_averaged: Its weights are averaged over the steps, and the average is the result.
    """

    share: float
    rate: float
    whole_from: float
    whole: float
    mixture: Mixture
    is_averaged: bool


# First to hear and write at all; then what recordings and faster-whisper do besides.
PHASES = (
    Phase(
        share=0.52,
        rate=2e-3,
        whole_from=0.61,
        whole=0.7,
        mixture=Mixture(silent=0.05, noisy=0.0, short=0.0, prompted=0.25, talkative=0.15),
        is_averaged=False,
    ),
    Phase(
        share=0.48,
        rate=1e-3,
        whole_from=0.0,
        whole=0.85,
        mixture=Mixture(silent=0.1, noisy=1.0, short=0.5, prompted=0.5, talkative=0.5),
        is_averaged=True,
    ),
)


@dataclass(kw_only=True, frozen=True, slots=True)
class Losses:
    """How wrong the model is about a batch."""

    text: torch.Tensor
    sounds: torch.Tensor
    guides: torch.Tensor

    def total(self) -> torch.Tensor:
        """What is made small."""
        return self.text + SOUNDS * self.sounds + GUIDES * self.guides


def losses_of(network: Network, vocabulary: Vocabulary, batch: Batch) -> Losses:
    """Hears a batch and compares."""
    is_half = batch.sounds.shape[1] >= HALF_FROM
    with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
        heard = network.encoder(batch.features, batch.offsets)
        scores, looks = network.decoder(batch.inputs, heard)
        sounds = network.sounds(heard)
    weights = torch.ones(sounds.shape[-1])
    weights[0] = SILENCE
    return Losses(
        text=_text_loss(scores, batch.labels, vocabulary),
        sounds=cross_entropy(sounds.float().flatten(0, 1), batch.sounds.flatten(), weights),
        guides=_guide_loss(looks, batch.guides),
    )


def _text_loss(scores: torch.Tensor, labels: torch.Tensor, vocabulary: Vocabulary) -> torch.Tensor:
    asked = labels != IGNORED
    likely, labels = scores[asked].log_softmax(-1), labels[asked]
    losses = -likely.gather(1, labels[:, None])[:, 0]
    is_time = labels >= vocabulary.timestamps
    near = labels[:, None] + torch.tensor(list(SPREAD))
    near = near.clamp(vocabulary.timestamps, vocabulary.size - 1)
    spread = -(likely.gather(1, near) * torch.tensor(list(SPREAD.values()))).sum(1)
    return torch.where(is_time, TIMES * spread, losses).mean()


def _guide_loss(looks: torch.Tensor, guides: torch.Tensor) -> torch.Tensor:
    """How little the guided heads look where a token is heard."""
    asked = guides.any(-1)
    if not asked.any():
        return looks.new_zeros(())
    right = (looks * guides[:, None]).sum(-1).transpose(1, 2)[asked]
    return -(right + 1e-4).log().mean()


def draw(batches: Batches, phase: Phase, done: float, chance: np.random.Generator) -> Batch:
    """The next batch, after a part of the phase, 0 to 1."""
    if done >= phase.whole_from:
        if chance.random() < phase.whole:
            return batches.draw(5, WHOLE, phase.mixture)
        return batches.draw(8, int(chance.integers(400, 1000)), phase.mixture)
    is_early = done < 0.6 * phase.whole_from
    frames = int(chance.integers(150, 420) if is_early else chance.integers(200, 700))
    return batches.draw(max(LEAST, BATCH_FRAMES // frames), frames, phase.mixture)


def train(
    network: Network,
    vocabulary: Vocabulary,
    batches: Batches,
    phase: Phase,
    seconds: float,
    chance: np.random.Generator,
) -> None:
    """Trains for a time; the network has the phase's result afterwards."""
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(INERTIA))
    start, step = time.monotonic(), 0
    while (done := (time.monotonic() - start) / seconds) < 1:
        warm = min(1.0, (step + 1) / WARM_UP)
        fall = 0.5 * (1 + math.cos(math.pi * done)) * (1 - REST) + REST
        optimizer.param_groups[0]["lr"] = phase.rate * warm * fall
        losses = losses_of(network, vocabulary, draw(batches, phase, done, chance))
        optimizer.zero_grad()
        losses.total().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        average.update_parameters(network)
        if step % 20 == 0:
            print(
                f"{done:4.0%} step {step} text {losses.text:.3f} "
                f"sounds {losses.sounds:.3f} guides {losses.guides:.3f}",
                flush=True,
            )
    if phase.is_averaged:
        network.load_state_dict(average.module.state_dict())


def main() -> None:
    """Voices the sentences, trains and writes the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=50.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    chance = np.random.default_rng(options.seed)
    try:
        takes = voice_all(TRAINED)
    except FliteMissingError as error:
        sys.exit(str(error))
    vocabulary = Vocabulary(tokens.build())
    windows = Windows(takes=takes, chance=chance)
    targets = Targets(vocabulary=vocabulary, chance=chance)
    batches = Batches(windows, targets, chance)
    network = Network(vocabulary, len(windows.inventory))
    weights = sum(each.numel() for each in network.parameters())
    print(f"{len(takes)} takes, {vocabulary.size} tokens, {weights} weights", flush=True)
    for phase in PHASES:
        seconds = phase.share * options.minutes * 60
        train(network, vocabulary, batches, phase, seconds, chance)
    export(network.eval(), vocabulary, options.folder)


if __name__ == "__main__":
    main()
