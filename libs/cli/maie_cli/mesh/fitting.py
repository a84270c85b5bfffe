"""Chooses the workers, slots and threads for ASR on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from maie_core.models import DEFAULT_MODELS_DIR, DEFAULT_WHISPER, model_store
from maie_runtime.worker.cores import share

SLOTS = "MAIE_ASR_SLOTS"
OMP = "OMP_NUM_THREADS"
# Engines that transcribe several chunks concurrently on a CPU.
SEVERAL_AT_ONCE = ("whisper", "pocketsphinx", "sherpa")
# Engines with threads, and the setting of their number; 0 or unset chooses it here.
THREADS = {
    "whisper": "MAIE_ASR_WHISPER_CPU_THREADS",
    "chunkformer": "MAIE_ASR_CHUNKFORMER_CPU_THREADS",
    "sherpa": "MAIE_ASR_SHERPA_CPU_THREADS",
}
LIVE_WORKERS = "MAIE_ASR_LIVE_WORKERS"
JOINED = "MAIE_ASR_WHISPER_CROSS_BATCH_SIZE"
# A worker with Whisper base takes 450 MB; during loading it holds the file and the int8 weights.
WORKER_BYTES = 300 * 1024**2
WEIGHTS_FACTOR = 2
# The most by default; a setting allows more on a large machine.
MAX_WORKERS = 4
MAX_SLOTS = 8
MAX_THREADS = 4


@dataclass(kw_only=True, frozen=True, slots=True)
class Fit:
    """The workers, slots and threads of a mesh for ASR.

    Attributes:
        workers: The number of ASR workers.
        slots: The chunks that each of them transcribes concurrently.
        environment: The chosen settings, without those of the user.
        sentence: The choice and its reason, for a person.
    """

    workers: int
    slots: int
    environment: Mapping[str, str]
    sentence: str


def fit_asr(settings: Mapping[str, str], workers: int | None, cores: int, memory: int) -> Fit:
    """Chooses the workers, slots and threads for ASR that the user has not set.

    A chunk for each core is the fastest on a CPU: two threads for one chunk are hardly faster than
    one. Workers are faster than slots of one worker, which share Python's lock, but each has the
    model in memory. What fits on a GPU depends on the model, so nothing is chosen there.

    Args:
        settings: The environment of the mesh, with the user's settings.
        workers: The number of ASR workers that the user set; None if unset.
        cores: The cores that the mesh may use.
        memory: The free memory in bytes.
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
    if on_cpu and count > 1 and LIVE_WORKERS not in settings:
        # Else each worker would take all cores for live speech.
        chosen[LIVE_WORKERS] = str(share(cores, count, cores))
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
    """The user's setting of an engine's threads; empty if unset."""
    if engine not in THREADS:
        return ""
    return next((name for name in (THREADS[engine], OMP) if _number(settings, name)), "")


def _is_settled(settings: Mapping[str, str]) -> bool:
    """Whether the user has set a worker's layout, or services share a GPU."""
    return SLOTS in settings or settings.get("MAIE_ASR_RESIDENCY", "resident") != "resident"


def _room(settings: Mapping[str, str], memory: int) -> int:
    """The number of workers that fit into half of the free memory, at least 1."""
    weights = _model("whisper", settings) / "model.bin"
    size = weights.stat().st_size if weights.is_file() else 0
    return max(1, memory // 2 // (WORKER_BYTES + WEIGHTS_FACTOR * size))


def _calls(settings: Mapping[str, str], slots: int) -> int:
    """The concurrent computations of a worker: one, if they are batched."""
    return 1 if _number(settings, JOINED) > 1 else slots


def _model(engine: str, settings: Mapping[str, str]) -> Path:
    """The path of an engine's model; empty if it has a built-in one."""
    path = settings.get(f"MAIE_ASR_{engine.upper()}_MODEL_PATH", "")
    if path or engine != "whisper":
        return Path(path)
    return model_store(Path(settings.get("MAIE_MODELS_DIR", DEFAULT_MODELS_DIR))) / DEFAULT_WHISPER


def _number(settings: Mapping[str, str], name: str) -> int:
    """A setting's value; 0 if it is unset or invalid, which its service reports."""
    value = settings.get(name, "").strip()
    return int(value) if value.isdecimal() else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _by(settings: Mapping[str, str], variable: str) -> str:
    """The user's setting that determined a value, if any."""
    return f" ({variable})" if variable in settings else ""
