"""Text tokens become speech tokens, and these become sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from maie_synthesis.engine import UnspeakableError
from maie_synthesis.engines.chatterbox.files import PAST, Folder
from maie_synthesis.engines.chatterbox.voices import Reference

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.int64]

# The codes of speech are 0 to 6560, 25 of them in a second.
START: Final = 6561
STOP: Final = 6562
SILENCE: Final = 4299
SILENCES_AT_THE_END: Final = 3
# 41 s, about twice the longest piece. A model that has not ended by then never does.
MAX_SPEECH_TOKENS: Final = 1024
# A token that was spoken is less likely again by this factor, as in Resemble AI's own example.
REPETITION_PENALTY: Final = 1.2


@dataclass(kw_only=True, frozen=True, slots=True, eq=False)
class Voice:
    """What the networks take of a voice.

    Attributes:
        prompt: How it sounds, for the language model, of shape (1, steps, width).
        tokens: Its recording as codes, of shape (1, codes).
        speaker: Whose it is, for the decoder, of shape (1, width).
        features: Its recording's spectrum, of shape (1, frames, bands).
    """

    prompt: Floats
    tokens: Ids
    speaker: Floats
    features: Floats


def voice_of(encoder: ort.InferenceSession, reference: Reference) -> Voice:
    """Encodes a reference recording. Blocks."""
    prompt, tokens, speaker, features, *_ = encoder.run(
        None, {"audio_values": reference.samples[None, :].astype(_types(encoder)["audio_values"])}
    )
    return Voice(prompt=prompt, tokens=tokens, speaker=speaker, features=features)


class ChatterboxModel:
    """The three networks that speak.

    Args:
        folder: Where they are.
        threads: The threads of each on a CPU.
        device: Where they run.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT or DEVICE_UNAVAILABLE.
    """

    def __init__(self, folder: Folder, threads: int, device: Literal["cpu", "cuda"]) -> None:
        self._device = device
        self._embedder = folder.open("embed_tokens", threads, device)
        self._language = folder.open("language_model", threads, device)
        self._decoder = folder.open("conditional_decoder", threads, device)
        self._width = _types(self._language)["inputs_embeds"]

    def speak(self, text: Sequence[int], voice: Voice, options: ort.RunOptions) -> Floats:
        """Speaks a text. Blocks; calls may overlap.

        Args:
            text: The text's tokens, at least one.
            voice: The voice.
            options: Setting their `terminate` ends the call.

        Returns:
            The sound, of shape (1, samples), at 24 kHz.

        Raises:
            UnspeakableError: The model did not come to an end, or made nothing.
            Exception: Of onnxruntime's own: the call was ended, or a network failed.
        """
        codes = self._codes(text, voice, options)
        if not codes:
            raise UnspeakableError("Chatterbox has no sound for this.")
        said = np.array([[*codes, *[SILENCE] * SILENCES_AT_THE_END]], np.int64)
        types = _types(self._decoder)
        feed = {
            "speech_tokens": np.concatenate([voice.tokens, said], axis=1),
            "speaker_embeddings": voice.speaker.astype(types["speaker_embeddings"]),
            "speaker_features": voice.features.astype(types["speaker_features"]),
        }
        sound, *_ = self._decoder.run(None, feed, options)
        return sound

    def _codes(self, text: Sequence[int], voice: Voice, options: ort.RunOptions) -> list[int]:
        """The codes of the speech, the likeliest one at a time, until the model stops."""
        said = [START]
        cache = _Cache(self._language, self._device)
        prompt = np.concatenate([voice.prompt, self._embedded(text, options)], axis=1)
        inputs = prompt.astype(self._width)
        for _ in range(MAX_SPEECH_TOKENS):
            logits = cache.run(inputs, options)
            token = likeliest(logits, said)
            if token == STOP:
                return said[1:]
            said.append(token)
            inputs = self._embedded([token], options).astype(self._width)
        raise UnspeakableError("Chatterbox did not come to an end with this.")

    def _embedded(self, tokens: Sequence[int], options: ort.RunOptions) -> Floats:
        feed = {"input_ids": np.array([tokens], np.int64)}
        found, *_ = self._embedder.run(None, feed, options)
        return found


def likeliest(logits: Floats, said: Sequence[int]) -> int:
    """The next token: a code or `STOP`.

    Args:
        logits: How likely each token is, of shape (tokens,).
        said: What was said before.

    Raises:
        UnspeakableError: The model's numbers are no numbers.
    """
    scores = logits[: STOP + 1].astype(np.float32)
    if len(scores) <= STOP or not np.isfinite(scores).all():
        raise UnspeakableError("Chatterbox failed at this: its scores are no numbers.")
    again = np.unique(np.asarray(said))
    scores[again] = np.where(
        scores[again] < 0, scores[again] * REPETITION_PENALTY, scores[again] / REPETITION_PENALTY
    )
    scores[START] = -np.inf
    return int(scores.argmax())


class _Cache:
    """A text under way in the language model: what it has seen stays on the device."""

    def __init__(self, session: ort.InferenceSession, device: str) -> None:
        self._session = session
        self._device = device
        self._binding = session.io_binding()
        self._seen = 0
        self._past = [each for each in session.get_inputs() if each.name.startswith(PAST)]
        types = _types(session)
        for each in self._past:
            empty = np.zeros((1, each.shape[1], 0, each.shape[3]), types[each.name])
            self._binding.bind_cpu_input(each.name, empty)

    def run(self, inputs: Floats, options: ort.RunOptions) -> Floats:
        """How likely each token is after the next inputs, of shape (1, steps, width)."""
        steps = inputs.shape[1]
        places = np.arange(self._seen, self._seen + steps, dtype=np.int64)
        self._seen += steps
        binding = self._binding
        binding.bind_cpu_input("inputs_embeds", np.ascontiguousarray(inputs))
        binding.bind_cpu_input("attention_mask", np.ones((1, self._seen), np.int64))
        binding.bind_cpu_input("position_ids", places[None, :])
        self._bind_outputs()
        self._session.run_with_iobinding(binding, options)
        logits, *present = binding.get_outputs()
        for each, value in zip(self._past, present, strict=True):
            binding.bind_ortvalue_input(each.name, value)
        found: Floats = logits.numpy()[0, -1]
        return found

    def _bind_outputs(self) -> None:
        """Lets a run make its outputs anew, since the last ones are its inputs."""
        logits, *present = [each.name for each in self._session.get_outputs()]
        self._binding.clear_binding_outputs()
        self._binding.bind_output(logits, "cpu")
        for name in present:
            self._binding.bind_output(name, self._device)


def _types(session: ort.InferenceSession) -> dict[str, type[Any]]:
    """The types of a network's inputs."""
    known = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}
    return {each.name: known[each.type] for each in session.get_inputs()}
