"""Whisper models on disk: found, verified and loaded, never downloaded."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path

import ctranslate2
from faster_whisper import WhisperModel

from maie.common.v1 import types_pb2 as common
from maie_asr.engines.whisper.alignment import AligningModel
from maie_asr.engines.whisper.batching import BatchingModel
from maie_asr.settings import AsrSettings, WhisperSettings
from maie_core.errors import Code, StageError
from maie_core.models import (
    DEFAULT_WHISPER,
    model_corrupt,
    model_missing,
    model_store,
    verified_sha256,
)
from maie_core.reasons import Reason
from maie_runtime.worker.cores import share, usable_cores

# Without tokenizer.json faster-whisper would fetch one from the network.
REQUIRED_FILES = ("config.json", "model.bin", "tokenizer.json")
# Models have their vocabulary in one of two formats; the feature settings have defaults.
VOCABULARY_FILES = ("vocabulary.json", "vocabulary.txt")
OPTIONAL_FILES = (*VOCABULARY_FILES, "preprocessor_config.json")
HOW_TO_GET = (
    f"run `maie models pull {DEFAULT_WHISPER}`, or set MAIE_ASR_WHISPER_MODEL_PATH to another "
    "model's directory"
)
AUTO_COMPUTE_TYPES = {"cuda": "float16", "cpu": "int8"}
AUTO_CROSS_BATCH_SIZES = {"cuda": 16, "cpu": 1}
# More threads gain little: the work between matrix products is single-threaded.
MAX_AUTO_THREADS = 4


def find_model(settings: WhisperSettings, models_dir: Path) -> Path:
    """The model's directory, with all the files that it needs.

    Args:
        settings: The engine's settings, which may name a model.
        models_dir: The directory of fetched models, for the default one.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_MISSING.
    """
    path = settings.model_path or model_store(models_dir) / DEFAULT_WHISPER
    if not path.is_dir():
        raise model_missing(f"There is no Whisper model at {path}; {HOW_TO_GET}.")
    missing = [name for name in REQUIRED_FILES if not (path / name).is_file()]
    if not any((path / name).is_file() for name in VOCABULARY_FILES):
        missing.append(" or ".join(VOCABULARY_FILES))
    if missing:
        raise model_missing(
            f"The Whisper model in {path} lacks {', '.join(missing)}; {HOW_TO_GET}."
        )
    return path


def cross_batch_size(settings: WhisperSettings) -> int:
    """The most windows of different requests in one batch."""
    if settings.reproducible:
        return 1
    return settings.cross_batch_size or AUTO_CROSS_BATCH_SIZES[settings.device]


def batch_calls(model: WhisperModel, settings: WhisperSettings) -> BatchingModel:
    """Makes a model batch the calls of different threads; the caller closes the result."""
    batching = BatchingModel(
        model.model,
        start_token=model.hf_tokenizer.token_to_id("<|startoftranscript|>"),
        max_rows=cross_batch_size(settings),
        wait_seconds=settings.cross_batch_wait_ms / 1000,
        lanes=len(settings.device_index),
    )
    model.model = batching
    return batching


def load_model(
    path: Path, settings: WhisperSettings, workers: int, live_workers: int = 0
) -> WhisperModel:
    """Loads a model. Blocks for seconds.

    Args:
        path: The model's directory.
        settings: The engine's settings.
        workers: The concurrent calls of each device for recordings; on a CPU they share the cores.
        live_workers: The concurrent calls for live speech beside them.

    Raises:
        StageError: FAILED_PRECONDITION with DEVICE_UNAVAILABLE,
            COMPUTE_TYPE_NOT_SUPPORTED or MODEL_CORRUPT.
    """
    compute_type = _compute_type(settings)
    try:
        return AligningModel(
            str(path),
            device=settings.device,
            device_index=list(settings.device_index),
            compute_type=compute_type,
            cpu_threads=cpu_threads(settings, workers),
            num_workers=workers + live_workers,
            local_files_only=True,
        )
    # The tokenizers library raises a bare Exception.
    except Exception as error:
        raise model_corrupt(
            f"The Whisper model in {path} cannot be loaded: {error}; "
            "fetch it again, or correct MAIE_ASR_WHISPER_MODEL_PATH."
        ) from error


def cpu_threads(settings: WhisperSettings, workers: int) -> int:
    """The threads of each call; 0 if the environment sets OMP_NUM_THREADS.

    Args:
        settings: The engine's settings.
        workers: The concurrent recordings.
    """
    if settings.cpu_threads or "OMP_NUM_THREADS" in os.environ:
        return settings.cpu_threads
    return share(usable_cores(), workers, MAX_AUTO_THREADS)


def recording_workers(settings: AsrSettings) -> int:
    """The concurrent calls of each device for recordings; batches come one at a time."""
    return settings.slots if cross_batch_size(settings.whisper) == 1 else 1


def lends_to_live(settings: AsrSettings) -> bool:
    """Whether live speech uses the model of recordings.

    On a CPU only where each call has one thread and runs by itself, which is best for live speech:
    CTranslate2 has one number of threads for all calls of a model.
    """
    whisper = settings.whisper
    if not settings.live_tracks or settings.live.apart:
        return False
    if whisper.device == "cuda":
        return True
    one_thread = cpu_threads(whisper, recording_workers(settings)) == 1
    return one_thread and cross_batch_size(whisper) == 1


def verify_model(path: Path, settings: WhisperSettings) -> str:
    """Hashes all files that the engine reads, which takes seconds for a large model.

    Raises:
        StageError: FAILED_PRECONDITION with MODEL_CORRUPT if the hash differs
            from the expected one.
    """
    return verified_sha256(path, [file.name for file in model_files(path)], settings.sha256)


def model_files(path: Path) -> list[Path]:
    """All files that the engine reads."""
    optional = [name for name in OPTIONAL_FILES if (path / name).is_file()]
    return [path / name for name in (*REQUIRED_FILES, *optional)]


def describe(
    path: Path, settings: WhisperSettings, model: WhisperModel, sha256: str
) -> common.EngineVersion:
    """The exact software and model, without parameters."""
    device: str = settings.device
    if device == "cuda":
        device = ",".join(f"cuda:{index}" for index in settings.device_index)
    return common.EngineVersion(
        engine="whisper",
        library=f"faster-whisper {version('faster-whisper')}, ctranslate2 {version('ctranslate2')}",
        model_name=model_name(path, settings),
        model_path=str(path),
        checkpoint_sha256=sha256,
        compute_type=model.model.compute_type,
        device=device,
    )


def model_name(path: Path, settings: WhisperSettings) -> str:
    """The model's variant, such as "large-v3"."""
    return settings.variant or path.resolve().name.removeprefix("faster-whisper-")


def is_distilled(path: Path, settings: WhisperSettings) -> bool:
    """Whether the model is a distil one, which loops with its own text as context."""
    return "distil" in model_name(path, settings) or "distil" in path.resolve().name


def _compute_type(settings: WhisperSettings) -> str:
    if settings.device == "cuda" and ctranslate2.get_cuda_device_count() <= max(
        settings.device_index
    ):
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.DEVICE_UNAVAILABLE,
            f"There is no GPU with index {max(settings.device_index)}; correct "
            "MAIE_ASR_WHISPER_DEVICE_INDEX, or set MAIE_ASR_WHISPER_DEVICE=cpu.",
        )
    wanted = settings.compute_type
    if wanted == "auto":
        return AUTO_COMPUTE_TYPES[settings.device]
    # ctranslate2 would silently use another type.
    known: set[str] = ctranslate2.get_supported_compute_types(settings.device)
    if wanted not in known:
        raise StageError(
            Code.FAILED_PRECONDITION,
            Reason.COMPUTE_TYPE_NOT_SUPPORTED,
            f"The {settings.device} cannot compute in {wanted}; set "
            f"MAIE_ASR_WHISPER_COMPUTE_TYPE to one of {', '.join(sorted(known))}.",
        )
    return wanted
