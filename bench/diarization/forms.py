"""The forms that a conversation comes in: noise, a telephone, a room."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import av
import numpy as np
from numpy.typing import NDArray

from bench.diarization.turns import Turn
from bench.diarization.voices import Voice, decoded
from bench.readings import SAMPLE_RATE, Audio, by_telephone, pink_noise

CLEAN = "clean"
TELEPHONE = "telephone"
VOIP = "voip"
FAR = "far"
# So many speak in the background that none is understood.
CROWD = 12
# Long recordings take the same minute of noise again and again.
_NOISE_SECONDS = 60

# What a call over the internet takes for narrow-band speech, in bits per second.
_OPUS_BITS = 12_000
_NARROW_RATE = 8_000

Noise = NDArray[np.float64]


def noisy(audio: Audio, turns: Sequence[Turn], noise: Noise, ratio_db: float) -> Audio:
    """Adds noise.

    Args:
        audio: A conversation.
        turns: Where somebody speaks: the power of speech counts there.
        noise: Noise with a mean power of 1; it is repeated as often as needed.
        ratio_db: The power of speech over that of the noise, in dB.
    """
    speech = np.zeros(len(audio), np.bool_)
    for turn in turns:
        speech[round(turn.start * SAMPLE_RATE) : round(turn.end * SAMPLE_RATE)] = True
    level = np.sqrt(np.mean(audio[speech] ** 2) / 10 ** (ratio_db / 10))
    return audio + np.resize((level * noise).astype(np.float32), len(audio))


def white(voices: Sequence[Voice], seed: int) -> Noise:
    """A minute of noise of equal power at all frequencies."""
    del voices
    return np.random.default_rng(seed).standard_normal(_NOISE_SECONDS * SAMPLE_RATE)


def pink(voices: Sequence[Voice], seed: int) -> Noise:
    """A minute of noise of equal power in each octave."""
    del voices
    return pink_noise(_NOISE_SECONDS * SAMPLE_RATE, seed)


def babble(voices: Sequence[Voice], seed: int) -> Noise:
    """A minute of a crowd: many phrases at once, backwards, so that nobody in it speaks."""
    chance = np.random.default_rng(seed)
    sounds = [phrase.audio[::-1] for voice in voices for phrase in voice.phrases]
    crowd = np.zeros(_NOISE_SECONDS * SAMPLE_RATE)
    for _ in range(CROWD):
        order = [sounds[place] for place in chance.permutation(len(sounds))]
        crowd += np.resize(np.concatenate(order), len(crowd))
    return crowd / np.sqrt(np.mean(crowd**2))


def by_opus(audio: Audio) -> Audio:
    """Sampled at 8 kHz and through Opus, as a telephone call that goes over the internet."""
    narrow = np.clip(np.round(_halved(audio) * 32768), -32768, 32767).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=_NARROW_RATE, layout="mono")
        stream.bit_rate = _OPUS_BITS
        frame = av.AudioFrame.from_ndarray(narrow[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = _NARROW_RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    file.seek(0)
    return np.resize(decoded(file), len(audio))


def _halved(audio: Audio) -> Audio:
    """Every second sample of what is below 4 kHz."""
    count = len(audio) // 2
    spectrum = np.fft.rfft(audio)[: count // 2 + 1]
    return (np.fft.irfft(spectrum, count) / 2).astype(np.float32)


NOISES: Mapping[str, Callable[[Sequence[Voice], int], Noise]] = {
    "white": white,
    "pink": pink,
    "babble": babble,
}


def in_form(
    form: str, audio: Audio, turns: Sequence[Turn], voices: Sequence[Voice], seed: int
) -> Audio:
    """A conversation in a form.

    Args:
        form: clean, far (whose room is in the audio already), telephone, voip, or a noise with the
            dB of speech over it: white20.
        audio: The conversation.
        turns: Where somebody speaks.
        voices: Those that the babble is of.
        seed: The same one gives the same noise.

    Raises:
        ValueError: There is no such form.
    """
    if form in (CLEAN, FAR):
        return audio
    if form == TELEPHONE:
        return by_telephone(audio)
    if form == VOIP:
        return by_opus(by_telephone(audio))
    name = form.rstrip("0123456789")
    if name not in NOISES or name == form:
        known = ", ".join((CLEAN, TELEPHONE, VOIP, FAR, *(f"{noise}20" for noise in NOISES)))
        raise ValueError(f"There is no form {form!r}; there are {known}, with any number of dB.")
    return noisy(audio, turns, NOISES[name](voices, seed), float(form.removeprefix(name)))
