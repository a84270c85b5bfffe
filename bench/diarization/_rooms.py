"""Simulates a room: `python _rooms.py SEED COUNT FILE`, in the environment of pyroomacoustics.

The file gets an array of shape (COUNT, samples) at 16 kHz: what a microphone hears of a click at
each speaker's place. A click arrives in sample 0, and the loudest place has an energy of 1.
"""

from __future__ import annotations

import sys

import numpy as np
import pyroomacoustics

SAMPLE_RATE = 16_000
# Meeting rooms, in metres, and how long their reverberation takes to fall by 60 dB, in seconds.
SMALLEST, LARGEST = (4.5, 4.0, 2.6), (7.0, 6.0, 3.2)
DECAY_SECONDS = (0.3, 0.5)
# People sit at least so far from the walls and from the microphone.
WALL, NEAREST = 0.5, 1.5
MOUTH, TABLE = 1.2, 0.8
# A click has this many samples before its peak, by the simulation's fractional delays.
BEFORE = 40


def main(seed: int, count: int, path: str) -> None:
    """Writes the responses of one room."""
    chance = np.random.default_rng(seed)
    size = chance.uniform(SMALLEST, LARGEST)
    absorption, order = pyroomacoustics.inverse_sabine(chance.uniform(*DECAY_SECONDS), size)
    material = pyroomacoustics.Material(absorption)
    room = pyroomacoustics.ShoeBox(size, fs=SAMPLE_RATE, materials=material, max_order=order)
    microphone = np.array([*(size[:2] * chance.uniform(0.4, 0.6, 2)), TABLE])
    room.add_microphone(microphone)
    for _ in range(count):
        room.add_source(_place(chance, size, microphone))
    room.compute_rir()
    responses = [_aligned(response) for response in room.rir[0]]
    rooms = np.zeros((count, max(map(len, responses))), np.float32)
    for row, response in zip(rooms, responses, strict=True):
        row[: len(response)] = response
    rooms /= np.sqrt(np.max(np.sum(rooms**2, axis=1)))
    np.save(path, rooms)


def _place(chance: np.random.Generator, size: np.ndarray, microphone: np.ndarray) -> np.ndarray:
    while True:
        place = np.array([*chance.uniform(WALL, size[:2] - WALL), MOUTH])
        if np.linalg.norm(place - microphone) >= NEAREST:
            return place


def _aligned(response: np.ndarray) -> np.ndarray:
    loud = np.flatnonzero(np.abs(response) > 0.5 * np.max(np.abs(response)))
    return response[max(0, loud[0] - BEFORE) :]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
