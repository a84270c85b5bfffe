"""Flite's own library, by ctypes. It may crash, and belongs in a process of its own."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_float, c_int, c_short, c_void_p
from pathlib import Path
from typing import Any

# Debian's libflite1; the number is that of its binary interface.
LIBRARY = "libflite.so.1"
_LANGUAGE = ("libflite_cmulex.so.1", "libflite_usenglish.so.1")
_BEGIN = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
_END = b"R:SylStructure.daughtern.daughtern.R:Segment.end"


class _Voice(Structure):
    """The head of cst_voice."""

    _fields_ = [("name", c_char_p), ("features", c_void_p)]


class _Wave(Structure):
    """cst_wave."""

    _fields_ = [
        ("type", c_char_p),
        ("rate", c_int),
        ("length", c_int),
        ("channels", c_int),
        ("samples", POINTER(c_short)),
    ]


_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "flite_init": (c_int, []),
    "flite_synth_text": (c_void_p, [c_char_p, c_void_p]),
    "flite_feat_set_float": (None, [c_void_p, c_char_p, c_float]),
    "flite_ffeature_float": (c_float, [c_void_p, c_char_p]),
    "utt_wave": (POINTER(_Wave), [c_void_p]),
    "utt_relation": (c_void_p, [c_void_p, c_char_p]),
    "relation_head": (c_void_p, [c_void_p]),
    "item_next": (c_void_p, [c_void_p]),
    "item_daughter": (c_void_p, [c_void_p]),
    "item_feat_present": (c_int, [c_void_p, c_char_p]),
    "item_feat_string": (c_char_p, [c_void_p, c_char_p]),
    "delete_utterance": (None, [c_void_p]),
}

Word = tuple[float, float]
"""When a word between white space is spoken: from and to, in seconds."""


def open_library(name: str) -> Any:
    """Loads a library of Flite.

    Raises:
        OSError: It is not installed.
    """
    return ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)


class Flite:
    """Flite with some voices, in this process.

    Args:
        voices: The names of their libraries, such as "cmu_us_slt".

    Raises:
        OSError: The library, or that of a voice, is not installed.
        AttributeError: A library is not Flite's.
    """

    def __init__(self, voices: tuple[str, ...]) -> None:
        self._flite = open_library(LIBRARY)
        for name in _LANGUAGE:
            open_library(name)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._flite, name)
            function.restype, function.argtypes = result, arguments
        self._flite.flite_init()
        self._voices = {name: self._register(name) for name in voices}

    @staticmethod
    def files() -> list[Path]:
        """The files of Flite that this process has loaded, by name."""
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
        lines = [line for line in maps.splitlines() if "/libflite" in line]
        return sorted({Path(line.split(maxsplit=5)[5]) for line in lines})

    def _register(self, name: str) -> Any:
        register = getattr(open_library(f"libflite_{name}.so.1"), f"register_{name}")
        register.restype, register.argtypes = POINTER(_Voice), [c_char_p]
        return register(None)

    def speak(self, text: bytes, voice: str, speed: float) -> tuple[bytes, int, list[Word]]:
        """Speaks a text.

        Args:
            text: ASCII without NUL.
            voice: One of the voices.
            speed: The pace; 1 is the voice's own.

        Returns:
            Samples of 16 bits in the machine's order of bytes, how many there are in a second, and
            the times of the words between white space.

        Raises:
            RuntimeError: It made no speech of it.
        """
        flite, chosen = self._flite, self._voices[voice]
        flite.flite_feat_set_float(chosen.contents.features, b"duration_stretch", 1 / speed)
        utterance = flite.flite_synth_text(text, chosen)
        if not utterance:
            raise RuntimeError("Flite made no utterance.")
        try:
            wave = flite.utt_wave(utterance)
            if not wave or not wave.contents.length:
                raise RuntimeError("Flite made no audio.")
            made = wave.contents
            samples = ctypes.string_at(made.samples, made.length * ctypes.sizeof(c_short))
            return samples, made.rate, self._words(utterance)
        finally:
            flite.delete_utterance(utterance)

    def _words(self, utterance: int) -> list[Word]:
        """The times of the text's words, of which Flite's tokens may be parts."""
        flite, found = self._flite, list[Word]()
        token = flite.relation_head(flite.utt_relation(utterance, b"Token"))
        while token:
            times = self._times(token)
            space = flite.item_feat_present(token, b"whitespace") and flite.item_feat_string(
                token, b"whitespace"
            )
            if times and (space or not found):
                found.append(times)
            elif times:
                found[-1] = (found[-1][0], times[1])
            elif space:
                # It is spoken by nobody, and keeps its place.
                found.append((found[-1][1], found[-1][1]) if found else (0.0, 0.0))
            token = flite.item_next(token)
        return found

    def _times(self, token: int) -> Word | None:
        """When the words of one of Flite's tokens are spoken; None where it has none."""
        flite, word = self._flite, self._flite.item_daughter(token)
        if not word:
            return None
        start = end = float(flite.flite_ffeature_float(word, _BEGIN))
        while word:
            end = float(flite.flite_ffeature_float(word, _END))
            word = flite.item_next(word)
        return start, max(start, end)
