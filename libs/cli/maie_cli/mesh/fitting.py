"""What fits this machine: how many chunks are transcribed at once, with how many threads each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from maie_runtime.cores import threads_each
from maie_runtime.models import DEFAULT_WHISPER

SLOTS = "MAIE_ASR_SLOTS"
OMP = "OMP_NUM_THREADS"
# Engines that transcribe several chunks at once on a CPU.
SEVERAL_AT_ONCE = ("whisper", "pocketsphinx")
# Engines with threads, and the setting of how many; 0 or unset takes what fits.
THREADS = {
    "whisper": "MAIE_ASR_WHISPER_CPU_THREADS",
    "chunkformer": "MAIE_ASR_CHUNKFORMER_CPU_THREADS",
}
JOINED = "MAIE_ASR_WHISPER_CROSS_BATCH_SIZE"
# A person who wants more of a large machine for this says so.
MAX_SLOTS = 8
MAX_THREADS = 4


@dataclass(kw_only=True, frozen=True, slots=True)
class Fit:
    """What a mesh takes of the machine to transcribe.

    Attributes:
        environment: The settings that were chosen; nothing that a person set.
        sentence: What is taken and why, for a person.
    """

    environment: Mapping[str, str]
    sentence: str


def fit_asr(settings: Mapping[str, str], workers: int, cores: int) -> Fit:
    """Chooses slots and threads of the ASR workers, where no person did.

    A slot for each core is the fastest on a CPU: a chunk that two threads share is read hardly
    sooner than by one. What fits on a GPU depends on the model, so there nothing is chosen.

    Args:
        settings: The environment of the mesh, with a person's own settings.
        workers: How many ASR workers share the cores.
        cores: How many cores the mesh may use.
    """
    engine = settings.get("MAIE_ASR_ENGINE", "")
    device = settings.get(f"MAIE_ASR_{engine.upper()}_DEVICE", "cpu")
    chosen = {}
    slots = _number(settings, SLOTS) or 1
    if device == "cpu" and engine in SEVERAL_AT_ONCE and SLOTS not in settings:
        slots = threads_each(workers, cores, MAX_SLOTS)
        chosen[SLOTS] = str(slots)
    taken = f"{_count(workers, 'worker')} with {_count(slots, 'slot')}{_by(settings, SLOTS)}"
    if device == "cpu" and engine in THREADS:
        at_once = workers * _calls(settings, slots)
        variable = next(filter(partial(_number, settings), (THREADS[engine], OMP)), "")
        threads = _number(settings, variable) or threads_each(at_once, cores, MAX_THREADS)
        if not variable:
            chosen[THREADS[engine]] = str(threads)
        taken += f" of {_count(threads, 'thread')}{_by(settings, variable)}"
    name = f"{engine} {_model(engine, settings)}".strip()
    may_use = f"; maie may use {_count(cores, 'core')}" if device == "cpu" else ""
    if SLOTS in chosen:
        may_use += ", and a slot for each is the fastest"
    return Fit(environment=chosen, sentence=f"{name} on {device}, {taken}{may_use}")


def _calls(settings: Mapping[str, str], slots: int) -> int:
    """How many recognitions of a worker compute at once: one, where they are joined in batches."""
    return 1 if _number(settings, JOINED) > 1 else slots


def _model(engine: str, settings: Mapping[str, str]) -> str:
    path = settings.get(f"MAIE_ASR_{engine.upper()}_MODEL_PATH", "")
    default = DEFAULT_WHISPER if engine == "whisper" else ""
    return Path(path).name if path else default


def _number(settings: Mapping[str, str], name: str) -> int:
    """A setting's value; 0 where it is unset, or is no number, of which its service complains."""
    value = settings.get(name, "").strip()
    return int(value) if value.isdecimal() else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _by(settings: Mapping[str, str], variable: str) -> str:
    """Which setting of a person it was, if it was one."""
    return f" ({variable})" if variable in settings else ""
