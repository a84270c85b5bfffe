"""Damaged recordings, the same ones each time: the recipe by which preprocess is attacked."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

from tests.preprocess import recordings
from tests.preprocess.test_containers import KINDS

HEADER_BYTES = 64
LARGE = (0xFF, 0x7F, 0x80, 0xFE)


@cache
def original(kind: str, seconds: float = 2) -> bytes:
    """The beginning of the sample in this container."""
    return recordings.encode(recordings.speech(seconds), **KINDS[kind])


def truncated(content: bytes, chance: random.Random) -> bytes:
    """A file that ends early."""
    return content[: chance.randrange(len(content))]


def flipped(content: bytes, chance: random.Random) -> bytes:
    """A file with wrong bits anywhere."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 8, 64, max(1, len(content) // 50)))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def damaged_header(content: bytes, chance: random.Random) -> bytes:
    """A file with random bytes in its header."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 16)):
        changed[chance.randrange(min(HEADER_BYTES, len(changed)))] = chance.randrange(256)
    return bytes(changed)


def swapped_header(content: bytes, chance: random.Random) -> bytes:
    """The header of one container before the content of another."""
    other = original(chance.choice(sorted(KINDS)))
    size = chance.choice((4, 12, HEADER_BYTES, 512))
    return other[:size] + content[size:]


def huge_sizes(content: bytes, chance: random.Random) -> bytes:
    """A file that claims to hold more than there is, at a place where a size may be."""
    at = chance.randrange(min(512, len(content)))
    width = chance.choice((2, 4, 8))
    return content[:at] + bytes([chance.choice(LARGE)]) * width + content[at + width :]


def shuffled(content: bytes, chance: random.Random) -> bytes:
    """A file with two of its parts exchanged or one repeated."""
    first, second, third = sorted(chance.randrange(len(content)) for _ in range(3))
    if chance.random() < 0.5:
        return content[:first] + content[second:third] + content[first:second] + content[third:]
    return content[:second] + content[first:]


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncated,
    flipped,
    damaged_header,
    swapped_header,
    huge_sizes,
    shuffled,
)


def mutated(number: int) -> tuple[str, bytes]:
    """A damaged recording by its number, with a name that says what it is."""
    kinds = sorted(KINDS)
    kind = kinds[number % len(kinds)]
    mutation = MUTATIONS[number // len(kinds) % len(MUTATIONS)]
    content = mutation(original(kind), random.Random(f"recording {number}"))
    return f"{number} {kind} {mutation.__name__}", content
