"""A small Whisper in the form in which it learns fast; `export` makes a usual one of it.

Names of weights are those of transformers' Whisper. Three things differ while training: first-layer
heads of the encoder begin by looking to the side, timestamps and the decoder's positions come from
sinusoids, and tokens that never occur share one embedding.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.functional import embedding, gelu, scaled_dot_product_attention

from tests.models.voices.tokens import TIMESTAMPS, Vocabulary

MELS = 80
WIDTH, HEADS, INNER = 128, 4, 512
DECODER_LAYERS = 2
HEAD_WIDTH = WIDTH // HEADS
# The decoder's heads whose looks are guided: of the last layer, the first two.
GUIDED = 2
# How many frames to the side each head of each encoder layer looks at the beginning.
SHIFTS = ((-5, -2, 2, 5), (-12, -4, 4, 12))
# Which sinusoids tell heads the side, and how strongly.
SIDE_WAVES, SIDE_STRENGTH = range(4, 20), 1.4
POSITIONS = 1500


def wave_lengths() -> torch.Tensor:
    """The angular speeds of Whisper's sinusoids."""
    half = WIDTH // 2
    return torch.exp(-math.log(10_000) / (half - 1) * torch.arange(half))


def sinusoids(length: int) -> torch.Tensor:
    """Whisper's positions, length by width."""
    angles = torch.arange(length)[:, None] * wave_lengths()[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


class Attention(nn.Module):
    """Attention of several heads."""

    def __init__(self, shifts: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.q_proj = nn.Linear(WIDTH, WIDTH)
        self.k_proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.v_proj = nn.Linear(WIDTH, WIDTH)
        self.out_proj = nn.Linear(WIDTH, WIDTH)
        for layer in (self.q_proj, self.k_proj, self.v_proj):
            nn.init.normal_(layer.weight, std=0.06)
        nn.init.normal_(self.out_proj.weight, std=0.04)
        for layer in (self.q_proj, self.v_proj, self.out_proj):
            nn.init.zeros_(layer.bias)
        if shifts:
            self._look_aside(shifts)

    @torch.no_grad()
    def _look_aside(self, shifts: tuple[int, ...]) -> None:
        """Lets each head ask for the position so many frames away."""
        query, key = self.q_proj.weight, self.k_proj.weight
        query.mul_(0.3)
        key.mul_(0.3)
        speeds = wave_lengths()
        for head, shift in enumerate(shifts):
            for pair, wave in enumerate(SIDE_WAVES):
                sine, cosine = wave, wave + WIDTH // 2
                row = head * HEAD_WIDTH + 2 * pair
                angle = float(speeds[wave]) * shift
                key[row, sine] += SIDE_STRENGTH
                key[row + 1, cosine] += SIDE_STRENGTH
                query[row, sine] += SIDE_STRENGTH * math.cos(angle)
                query[row, cosine] += SIDE_STRENGTH * math.sin(angle)
                query[row + 1, cosine] += SIDE_STRENGTH * math.cos(angle)
                query[row + 1, sine] -= SIDE_STRENGTH * math.sin(angle)

    def forward(
        self, asking: torch.Tensor, asked: torch.Tensor, *, is_causal: bool = False
    ) -> torch.Tensor:
        """Mixes what is asked for."""
        query, key, value = self._heads(asking, asked)
        mixed = scaled_dot_product_attention(query, key, value, is_causal=is_causal)
        return self._join(mixed)

    def look(self, asking: torch.Tensor, asked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The same, with where each head looked: batch, heads, asking, asked."""
        query, key, value = self._heads(asking, asked)
        weights = (query @ key.transpose(2, 3) / math.sqrt(HEAD_WIDTH)).float().softmax(-1)
        return self._join(weights.to(value.dtype) @ value), weights

    def _heads(self, asking: torch.Tensor, asked: torch.Tensor) -> list[torch.Tensor]:
        projected = (self.q_proj(asking), self.k_proj(asked), self.v_proj(asked))
        return [each.unflatten(2, (HEADS, HEAD_WIDTH)).transpose(1, 2) for each in projected]

    def _join(self, mixed: torch.Tensor) -> torch.Tensor:
        return self.out_proj(mixed.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """What layers of the encoder and the decoder have in common."""

    def __init__(self, shifts: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.self_attn = Attention(shifts)
        self.self_attn_layer_norm = nn.LayerNorm(WIDTH)
        self.fc1 = nn.Linear(WIDTH, INNER)
        self.fc2 = nn.Linear(INNER, WIDTH)
        self.final_layer_norm = nn.LayerNorm(WIDTH)

    def _think(self, states: torch.Tensor) -> torch.Tensor:
        return states + self.fc2(gelu(self.fc1(self.final_layer_norm(states))))


class EncoderLayer(Layer):
    """A layer of the encoder."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Reads all frames."""
        normal = self.self_attn_layer_norm(states)
        return self._think(states + self.self_attn(normal, normal))


class DecoderLayer(Layer):
    """A layer of the decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder_attn = Attention()
        self.encoder_attn_layer_norm = nn.LayerNorm(WIDTH)

    def forward(
        self, states: torch.Tensor, heard: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Reads the tokens so far and what was heard; says too where it looked."""
        normal = self.self_attn_layer_norm(states)
        states = states + self.self_attn(normal, normal, is_causal=True)
        found, looks = self.encoder_attn.look(self.encoder_attn_layer_norm(states), heard)
        return self._think(states + found), looks


class Encoder(nn.Module):
    """Makes states of 20 ms of log-mel features of 10 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.register_buffer("positions", sinusoids(POSITIONS), persistent=False)
        self.layers = nn.ModuleList(EncoderLayer(shifts) for shifts in SHIFTS)
        self.layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, features: torch.Tensor, offsets: list[int]) -> torch.Tensor:
        """Hears windows that are put at places within 30 seconds, in frames."""
        states = gelu(self.conv2(gelu(self.conv1(features)))).transpose(1, 2)
        length = states.shape[1]
        states = states + torch.stack([self.positions[at : at + length] for at in offsets])
        for layer in self.layers:
            states = layer(states)
        return self.layer_norm(states)


class Decoder(nn.Module):
    """Writes tokens."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        rows = torch.tensor(vocabulary.rows())
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("times", sinusoids(TIMESTAMPS), persistent=False)
        self.learned = nn.Parameter(torch.randn(int(rows.max()) + 1, WIDTH) * 0.05)
        self.time_weight = nn.Parameter(torch.eye(WIDTH) * 0.1 + torch.randn(WIDTH, WIDTH) * 0.005)
        self.time_bias = nn.Parameter(torch.zeros(WIDTH))
        self.position_weight = nn.Parameter(torch.eye(WIDTH) * 0.1)
        self.layers = nn.ModuleList(DecoderLayer() for _ in range(DECODER_LAYERS))
        self.layer_norm = nn.LayerNorm(WIDTH)

    def embeddings(self) -> torch.Tensor:
        """The embedding of every token."""
        return torch.cat(
            [self.learned[self.rows], self.times @ self.time_weight.T + self.time_bias]
        )

    def positions(self, length: int) -> torch.Tensor:
        """The embeddings of the first places."""
        return self.times[:length] @ self.position_weight.T

    def forward(
        self, tokens: torch.Tensor, heard: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The scores of all tokens behind each, and where the guided heads looked."""
        table = self.embeddings()
        states = embedding(tokens, table) + self.positions(tokens.shape[1])
        for layer in self.layers:
            states, looks = layer(states, heard)
        states = self.layer_norm(states)
        return (states @ table.to(states.dtype).T).float(), looks[:, :GUIDED]


class Network(nn.Module):
    """The whole, with a head that tells sounds; that one is not exported."""

    def __init__(self, vocabulary: Vocabulary, sounds: int) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder(vocabulary)
        self.sounds = nn.Linear(WIDTH, sounds)
