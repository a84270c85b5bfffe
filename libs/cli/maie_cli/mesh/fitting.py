"""What fits this machine: how many chunks are transcribed at once, with how many threads each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maie_runtime.cores import share
from maie_runtime.models import DEFAULT_MODELS_DIR, DEFAULT_WHISPER, model_store

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
# A worker with Whisper base takes 450 MB; while it loads, the file and the int8 weights are there.
WORKER_BYTES = 300 * 1024**2
WEIGHTS_FACTOR = 2
# A person who wants more of a large machine for this says so.
MAX_WORKERS = 4
MAX_SLOTS = 8
MAX_THREADS = 4


@dataclass(kw_only=True, frozen=True, slots=True)
class Fit:
    """What a mesh takes of the machine to transcribe.

    Attributes:
        workers: How many ASR workers run.
        slots: How many chunks each of them transcribes at once.
        environment: The settings that were chosen; nothing that a person set.
        sentence: What is taken and why, for a person.
    """

    workers: int
    slots: int
    environment: Mapping[str, str]
    sentence: str


def fit_asr(settings: Mapping[str, str], workers: int | None, cores: int, memory: int) -> Fit:
    """Chooses workers, slots and threads to transcribe with, where no person did.

    A chunk for each core is the fastest on a CPU: one that two threads share is read hardly sooner
    than by one. Workers are faster than slots of one worker, which share Python's lock, but each
    has the model in memory. What fits on a GPU depends on the model, so there nothing is chosen.

    Args:
        settings: The environment of the mesh, with a person's own settings.
        workers: How many ASR workers a person asked for; None where nobody did.
        cores: How many cores the mesh may use.
        memory: How many bytes of memory are free.
    """
    engine = settings.get("MAIE_ASR_ENGINE", "")
    device = settings.get(f"MAIE_ASR_{engine.upper()}_DEVICE", "cpu")
    on_cpu = device == "cpu"
    chosen = {}
    threads_set = _threads_set(settings, engine)
    at_once = share(cores, _number(settings, threads_set) or 1, cores)
    count = workers or 1
    if workers is None and on_cpu and engine == "whisper" and not _is_settled(settings):
        count = min(at_once, MAX_WORKERS, _room(settings, memory))
    slots = _number(settings, SLOTS) or 1
    if on_cpu and engine in SEVERAL_AT_ONCE and SLOTS not in settings:
        slots = share(at_once, count, MAX_SLOTS)
        chosen[SLOTS] = str(slots)
    taken = f"{_count(count, 'worker')} with {_count(slots, 'slot')}{_by(settings, SLOTS)}"
    if on_cpu and engine in THREADS:
        calls = count * _calls(settings, slots)
        threads = _number(settings, threads_set) or share(cores, calls, MAX_THREADS)
        if not threads_set:
            chosen[THREADS[engine]] = str(threads)
        taken += f" of {_count(threads, 'thread')}{_by(settings, threads_set)}"
    name = f"{engine} {_model(engine, settings).name}".strip()
    why = f"; maie may use {_count(cores, 'core')}" if on_cpu else ""
    if SLOTS in chosen:
        why += ", and a chunk for each is the fastest"
    return Fit(
        workers=count,
        slots=slots,
        environment=chosen,
        sentence=f"{name} on {device}, {taken}{why}",
    )


def _threads_set(settings: Mapping[str, str], engine: str) -> str:
    """Which setting of a person says how many threads an engine has; empty where none does."""
    if engine not in THREADS:
        return ""
    return next((name for name in (THREADS[engine], OMP) if _number(settings, name)), "")


def _is_settled(settings: Mapping[str, str]) -> bool:
    """Whether a person's settings say how one worker is to be, or have services take turns."""
    return SLOTS in settings or settings.get("MAIE_ASR_RESIDENCY", "resident") != "resident"


def _room(settings: Mapping[str, str], memory: int) -> int:
    """How many workers fit into half of the free memory, at least 1."""
    weights = _model("whisper", settings) / "model.bin"
    size = weights.stat().st_size if weights.is_file() else 0
    return max(1, memory // 2 // (WORKER_BYTES + WEIGHTS_FACTOR * size))


def _calls(settings: Mapping[str, str], slots: int) -> int:
    """How many recognitions of a worker compute at once: one, where they are joined in batches."""
    return 1 if _number(settings, JOINED) > 1 else slots


def _model(engine: str, settings: Mapping[str, str]) -> Path:
    """Where an engine's model is; an empty path where it has one of its own."""
    path = settings.get(f"MAIE_ASR_{engine.upper()}_MODEL_PATH", "")
    if path or engine != "whisper":
        return Path(path)
    return model_store(Path(settings.get("MAIE_MODELS_DIR", DEFAULT_MODELS_DIR))) / DEFAULT_WHISPER


def _number(settings: Mapping[str, str], name: str) -> int:
    """A setting's value; 0 where it is unset, or is no number, of which its service complains."""
    value = settings.get(name, "").strip()
    return int(value) if value.isdecimal() else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _by(settings: Mapping[str, str], variable: str) -> str:
    """Which setting of a person it was, if it was one."""
    return f" ({variable})" if variable in settings else ""
